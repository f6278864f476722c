// test-timeout: 120 s
/**
 * A copy is what its source is: random operations, crashes of either, records applied
 * verbatim. FEEDFS_SIM_SEED=n runs one seed, FEEDFS_SIM_RUNS=n another number of them.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { CAPABILITY } from '../../src/base/xattr-name.js';
import { Extents } from '../../src/client/extents.js';
import type { ChangeRecord } from '../../src/feed/record.js';
import type { WrittenExtent } from '../../src/rpc/messages.js';
import { encodeReplicaMessage } from '../../src/rpc/replica-message.js';
import { aclOf, DEFAULT } from '../support/acl.js';
import { withFolder } from '../support/mount.js';
import { owedRecords } from '../support/namespace-model.js';
import { Random } from '../support/random.js';
import { bytes, openFile, writeOf } from '../support/simulated-files.js';
import { checkClaims } from './crash-claims.js';
import { CrashRun } from './crash-run.js';
import { changesRefused, contents, ReplicaCopy } from './replica-copy.js';

const RUNS = Number(process.env.FEEDFS_SIM_RUNS ?? 12);
const ONLY = process.env.FEEDFS_SIM_SEED;
const ROUNDS = 5;
const STEPS_MAX = 80;

interface Pair {
  readonly run: CrashRun;
  readonly copy: ReplicaCopy;
  readonly random: Random;
}

async function simulate(seed: number, round: (pair: Pair) => Promise<void>): Promise<void> {
  const random = new Random(seed);
  try {
    await withFolder(async (folder) => {
      const run = new CrashRun(folder, random);
      await run.start();
      const copy = await ReplicaCopy.begin(folder, () => run.sim, random);
      for (let i = 0; i < ROUNDS; i++) {
        const steps = random.below(STEPS_MAX);
        for (let step = 0; step < steps; step++) {
          if (random.chance(4)) giveCapability(run);
          if (random.chance(4)) giveDefaultAcl(run);
          await run.step();
        }
        await round({ run, copy, random });
      }
      await run.end();
      await copy.sim.close();
    });
  } catch (error) {
    if (error instanceof Error) error.message = `seed ${seed}: ${error.message}`;
    throw error;
  }
}

/** Vanishes with the next change of contents or owner. */
function giveCapability({ sim, random, files }: CrashRun): void {
  const nodeId = random.pick([...files.keys()]);
  if (nodeId === undefined) return;
  const value = new Uint8Array(20).fill(1);
  sim.ask('setxattr', { nodeId, name: nameFromText(CAPABILITY), value, flags: 0, killSgid: false });
}

/** Whatever is made in the directory has it from then on. */
function giveDefaultAcl({ sim, random, directories }: CrashRun): void {
  const nodeId = random.pick(directories);
  if (nodeId === undefined) return;
  const value = aclOf('u::rwx', 'u:7:rw-', 'g::r-x', 'm::rwx', 'o::r--');
  sim.ask('setxattr', { nodeId, name: nameFromText(DEFAULT), value, flags: 0, killSgid: false });
}

/** What the source tells, with all that it knows on disk. */
async function settled(run: CrashRun): Promise<ChangeRecord[]> {
  await run.sim.settle();
  run.sim.holdFlushes = true;
  return owedRecords(run.sim, run.feed);
}

function seeds(start: number): number[] {
  if (ONLY !== undefined) return [Number(ONLY)];
  return Array.from({ length: RUNS }, (_, i) => start + i);
}

/** All but what is each log's own. */
function bare(record: ChangeRecord): object {
  const { index: _index, transno: _transno, ...rest } = record;
  return rest;
}

/** The copy's records are those of the source, though its writes may name more: what was given with them. */
function compareRecords(own: readonly ChangeRecord[], source: readonly ChangeRecord[]): void {
  assert.is(own.length, source.length, 'records');
  for (const [at, record] of source.entries()) {
    const copied = must(own[at], 'a record');
    if (copied.op !== 'write' || record.op !== 'write') {
      assert.equal(bare(copied), bare(record));
      continue;
    }
    const { extents } = copied;
    assert.equal(bare(copied), { ...bare(record), extents });
    const named = extentsOf(extents);
    const bytes = named.bytes;
    for (const { offset, length } of record.extents) named.add(offset, length);
    assert.is(named.bytes, bytes, 'all that the source names');
  }
}

function extentsOf(list: readonly WrittenExtent[]): Extents {
  const extents = new Extents();
  for (const { offset, length } of list) extents.add(offset, length);
  return extents;
}

test('a copy has the same namespace, contents and records', async () => {
  for (const seed of seeds(1)) {
    let last: Pair | undefined;
    await simulate(seed, async (pair) => {
      last = pair;
      const { run, copy } = pair;
      const records = await settled(run);
      await copy.apply(records.filter(({ index }) => index >= copy.index));
      await copy.compare();
      // The first one made the root what it is at the source.
      const own = owedRecords(copy.sim, copy.feed).slice(1);
      compareRecords(own, records);
    });
    assert.ok(last);
  }
});

test('source and copy are killed at any moment, and the copy goes on where it was', async () => {
  for (const seed of seeds(500)) {
    await simulate(seed, async ({ run, copy, random }) => {
      if (random.chance(50)) {
        await run.crash(random.chance(50));
        // After which the run knows what is left.
        await checkClaims(run, true);
      }
      const records = await settled(run);
      const owed = records.filter(({ index }) => index >= copy.index);
      const cut = random.below(owed.length + 1);
      const messages = copy.messagesOf(owed.slice(0, cut + 1));
      for (const message of messages.slice(0, -1)) await copy.message(message);
      const last = messages.at(-1);
      // The last one may be on its way.
      if (last !== undefined && last.length > 0) {
        copy.write(encodeReplicaMessage(last));
      }
      if (random.chance(50)) await copy.letDiskWork();
      await copy.crash(random.chance(50));
      await copy.apply(records.filter(({ index }) => index >= copy.index));
      await copy.compare();
    });
  }
});

test('what overwrote a file and has no record when the copy is killed has one of nobody’s', async () => {
  await withFolder(async (folder) => {
    const run = new CrashRun(folder, new Random(5));
    await run.start();
    const copy = await ReplicaCopy.begin(folder, () => run.sim, new Random(6));
    const made = run.sim.ask('create', {
      ...{ nodeId: ROOT_FID, name: nameFromText('large'), mode: 0o644, umask: 0 },
      ...{ flags: 2, killSuidgid: false },
    });
    const file = { fid: made.got.entry?.nodeId as Fid, fh: made.got.open?.fh ?? 0 };
    await copy.apply(await settled(run));
    // The state of the file stays, as long as somebody reads it.
    openFile(copy.sim, file.fid, 0);
    await run.sim.answer('write', writeOf(file, 0, bytes(20_000, 1)));
    const written = (await settled(run)).filter(({ index }) => index >= copy.index);
    await copy.apply(written);
    await copy.compare();
    const before = owedRecords(copy.sim, copy.feed).length;
    await copy.message([{ do: 'data', fid: file.fid, offset: 5, bytes: bytes(3, 2) }]);
    await copy.crash(true);
    await copy.sim.settle();
    const [record, ...more] = owedRecords(copy.sim, copy.feed).slice(before);
    assert.equal([record?.op, record?.fid, record?.pid, more], ['write', file.fid, 0, []]);
    assert.equal([...contents(copy.sim, file.fid, 9)], [1, 1, 1, 1, 1, 2, 2, 2, 1]);
    await copy.sim.close();
    await run.end();
  });
});

test('nobody else changes a copy', async () => {
  await withFolder(async (folder) => {
    const run = new CrashRun(folder, new Random(3));
    await run.start();
    const copy = await ReplicaCopy.begin(folder, () => run.sim, new Random(4));
    const file = run.sim.ask('create', {
      ...{ nodeId: ROOT_FID, name: nameFromText('mine'), mode: 0o644, umask: 0 },
      ...{ flags: 2, killSuidgid: false },
    });
    await copy.apply(await settled(run));
    await copy.compare();
    const fid = file.got.entry?.nodeId as Fid;
    for (const outcome of changesRefused(copy.sim, fid)) assert.is(outcome, 'EROFS');
    await copy.message([{ do: 'promote' }]);
    assert.is(copy.state().source, undefined);
    const made = copy.sim.ask('create', {
      ...{ nodeId: ROOT_FID, name: nameFromText('other'), mode: 0o644, umask: 0 },
      ...{ flags: 2, killSuidgid: false },
    });
    assert.is(made.outcome, 'ok');
    assert.ok((made.got.entry?.nodeId ?? 0) > fid, 'a FID that nobody had');
    await copy.sim.close();
    await run.end();
  });
});

test.run();
