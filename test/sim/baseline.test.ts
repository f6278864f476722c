// test-timeout: 120 s
/**
 * Baselines of a simulated filesystem, opened and read at random moments while it changes,
 * from a seed: each is exactly what the records before its place lead to.
 * FEEDFS_SIM_SEED=n runs one seed, FEEDFS_SIM_RUNS=n another number of them.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import type { Fid } from '../../src/base/fid.js';
import { fidOfNode } from '../../src/client/control/nodes.js';
import { modelOfBaseline } from '../support/baseline-model.js';
import type { FakeReply } from '../support/fake-reply.js';
import { withFolder } from '../support/mount.js';
import { namespaceOf, owedRecords } from '../support/namespace-model.js';
import { Random } from '../support/random.js';
import { flatten, Replayer } from '../support/replayer.js';
import { releaseOf } from '../support/simulated-files.js';
import { CrashRun } from './crash-run.js';

const RUNS = Number(process.env.FEEDFS_SIM_RUNS ?? 12);
const ONLY = process.env.FEEDFS_SIM_SEED;
const STEPS = 400;
const OPEN_MAX = 3;

/** One open of `baseline`, which may not be answered yet. */
interface Reading {
  readonly nodeId: number;
  readonly opened: FakeReply;
  readonly chunks: Uint8Array[];
}

class BaselineRun {
  readonly run: CrashRun;
  readonly #readings: Reading[] = [];
  finished = 0;

  constructor(run: CrashRun) {
    this.run = run;
  }

  async step(): Promise<void> {
    const { run } = this;
    await run.step();
    const { random } = run;
    if (this.#readings.length < OPEN_MAX && random.chance(4)) this.#open();
    const reading = random.pick(this.#readings);
    if (reading !== undefined && random.chance(60)) this.#read(reading);
  }

  async end(): Promise<void> {
    for (let reading = this.#readings[0]; reading !== undefined; reading = this.#readings[0]) {
      if (reading.opened.answered) this.#read(reading);
      else await this.run.letDiskWork();
    }
  }

  #open(): void {
    const { sim, feed } = this.run;
    const nodeId = fidOfNode({ kind: 'baseline', id: feed });
    const opened = sim.ask('open', { nodeId, flags: 0, killSuidgid: false });
    this.#readings.push({ nodeId, opened, chunks: [] });
  }

  #read(reading: Reading): void {
    const { sim, random } = this.run;
    const { nodeId, opened, chunks } = reading;
    if (!opened.answered) return;
    const { fh } = must(opened.got.open, `an open: ${opened.outcome}`);
    const asked = { nodeId, fh, offset: 0, flags: 0, lockOwner: undefined };
    const reply = sim.ask('read', { ...asked, size: 1 + random.below(2_000) });
    assert.is(reply.outcome, 'ok');
    const bytes = must(reply.got.bytes, 'bytes');
    if (bytes.byteLength > 0) return void chunks.push(bytes);
    sim.ask('release', releaseOf({ fid: nodeId as Fid, fh }));
    this.#readings.splice(this.#readings.indexOf(reading), 1);
    this.#check(Buffer.concat(chunks));
  }

  #check(bytes: Uint8Array): void {
    const { sim, feed, root } = this.run;
    const { head, nodes } = modelOfBaseline([bytes]);
    const replayer = new Replayer(structuredClone(must(root, 'the root')));
    let transno = 0;
    for (const record of owedRecords(sim, feed)) {
      if (record.index >= head.place.index) break;
      replayer.apply(record);
      transno = record.transno;
    }
    assert.equal(flatten(nodes), flatten(replayer.nodes));
    assert.ok(head.transno >= transno, 'the records before the place are of changes in it');
    this.finished++;
  }
}

async function simulate(seed: number): Promise<void> {
  try {
    await withFolder(async (folder) => {
      const run = new CrashRun(folder, new Random(seed));
      await run.start();
      const baselines = new BaselineRun(run);
      for (let step = 0; step < STEPS; step++) await baselines.step();
      await baselines.end();
      assert.ok(baselines.finished > 0, 'no baseline was finished');
      assert.is(run.sim.server.baselines.count, 0);
      assert.ok(namespaceOf(run.sim).size > 1, 'nothing was made');
      await run.end();
    });
  } catch (error) {
    if (error instanceof Error) error.message = `seed ${seed}: ${error.message}`;
    throw error;
  }
}

test('a baseline is what the records before its place lead to', async () => {
  const seeds =
    ONLY === undefined ? Array.from({ length: RUNS }, (_, i) => 7000 + i) : [Number(ONLY)];
  for (const seed of seeds) await simulate(seed);
});

test.run();
