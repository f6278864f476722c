/**
 * `npm run bench [-- SECTION… [options]]`: feedfs and its peers side by side on this
 * machine. Ratios first, then the tables; all figures also as JSON in bench-results/,
 * from which `plots` draws docs/plots/*.svg.
 */

import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Cleanup } from '../test/bench/cleanup.js';
import { Client } from '../test/bench/client.js';
import { makeDisk } from '../test/bench/disk.js';
import { describeMachine } from '../test/bench/machine.js';
import { type Options, parseOptions, usage } from '../test/bench/options.js';
import { preparePeers } from '../test/bench/peers.js';
import { chartsOf, writePlots } from '../test/bench/plots.js';
import { plotsDir, resultsDir } from '../test/bench/project.js';
import {
  formatRun,
  jsonOf,
  type Outcome,
  readResults,
  writeResults,
} from '../test/bench/report.js';
import type { BenchContext, Section } from '../test/bench/section.js';
import { backlog } from '../test/bench/sections/backlog.js';
import { capabilities } from '../test/bench/sections/capabilities.js';
import { clone } from '../test/bench/sections/clone.js';
import { drain } from '../test/bench/sections/drain.js';
import { feeds } from '../test/bench/sections/feeds.js';
import { filtersSection } from '../test/bench/sections/filters.js';
import { idle } from '../test/bench/sections/idle.js';
import { io } from '../test/bench/sections/io.js';
import { latency } from '../test/bench/sections/latency.js';
import { lmdb } from '../test/bench/sections/lmdb.js';
import { metadata } from '../test/bench/sections/metadata.js';
import { recovery } from '../test/bench/sections/recovery.js';
import { requests } from '../test/bench/sections/requests.js';
import { roundtrip } from '../test/bench/sections/roundtrip.js';
import { scale } from '../test/bench/sections/scale.js';
import { spin } from '../test/bench/sections/spin.js';
import { messageOf, stopCommands } from '../test/bench/shell.js';
import { SIZES } from '../test/bench/sizes.js';

const SECTIONS: readonly Section[] = [
  roundtrip,
  metadata,
  spin,
  feeds,
  scale,
  backlog,
  io,
  latency,
  drain,
  filtersSection,
  clone,
  recovery,
  idle,
  capabilities,
  requests,
  lmdb,
];
/** The sections that compare with the bindings from npm. */
const WITH_BINDINGS = new Set(['roundtrip', 'capabilities']);
const EXIT_USAGE = 2;
const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** What the context is before a section has its own clean-up and disk. */
type SharedContext = Omit<BenchContext, 'disk'>;

async function runSection(section: Section, context: SharedContext): Promise<Outcome> {
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1_000;
  // What a section starts ends with it, so that it does not disturb the next.
  const cleanup = new Cleanup();
  const all = context.cleanup.defer(`section ${section.name}`, () => cleanup.run());
  try {
    // Of its own: the disk that another section wore out is no new disk.
    const dir = path.join(context.dir, section.name);
    fs.mkdirSync(dir);
    const disk = await makeDisk(cleanup, path.join(dir, 'disk'));
    const result = await section.run({ ...context, cleanup, dir, disk });
    return { name: section.name, seconds: seconds(), result, error: undefined };
  } catch (error) {
    const text = messageOf(error);
    return { name: section.name, seconds: seconds(), result: undefined, error: text };
  } finally {
    await all();
  }
}

async function measure(options: Options, cleanup: Cleanup): Promise<boolean> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'feedfs-bench-'));
  cleanup.defer('temporary directory', () => fs.rmSync(dir, { recursive: true, force: true }));
  const progress = (text: string) => {
    if (!cleanup.hasEnded) process.stderr.write(`bench: ${text}\n`);
  };
  const machine = describeMachine(new Date());
  progress('preparing the peers');
  const peers = await preparePeers(
    dir,
    options.sections.some((s) => WITH_BINDINGS.has(s.name)),
  );
  const { clients, busyPoll, size } = options;
  const client = new Client(peers.client);
  const sizes = SIZES[size];
  const context = { cleanup, dir, peers, client, clients, busyPoll, sizes, progress };
  const outcomes: Outcome[] = [];
  for (const section of options.sections) {
    outcomes.push(await runSection(section, context));
    // Half a run is no result.
    if (cleanup.hasEnded) return false;
  }
  const run = { machine, size, missing: peers.missing, outcomes };
  const json = jsonOf(run);
  process.stdout.write(options.json ? json : formatRun(run));
  progress(`all figures: ${path.relative('.', writeResults(resultsDir, machine.date, json))}`);
  return outcomes.every((o) => o.error === undefined);
}

function draw(options: Options): boolean {
  const { drawn, problems } = chartsOf(SECTIONS, readResults(resultsDir), options.size === 'quick');
  const files = writePlots(options.out ?? plotsDir, drawn);
  for (const file of files) process.stderr.write(`bench: ${path.relative('.', file)}\n`);
  for (const problem of problems) process.stderr.write(`bench: not drawn: ${problem}\n`);
  return files.length > 0;
}

async function bench(options: Options, cleanup: Cleanup): Promise<boolean> {
  const isMeasured = options.sections.length === 0 || (await measure(options, cleanup));
  // Tiny sizes are drawn only where somebody asked for them.
  const isDrawn = options.plots && (options.size !== 'quick' || options.out !== undefined);
  return (isDrawn ? draw(options) : true) && isMeasured;
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), SECTIONS);
  if (typeof options === 'string') {
    if (options === '') process.stdout.write(usage(SECTIONS));
    else process.stderr.write(`${options}\n\n${usage(SECTIONS)}`);
    return options === '' ? 0 : EXIT_USAGE;
  }
  const cleanup = new Cleanup();
  const stopped = whenStopped(cleanup);
  // After a signal the sections fail one after the other: only the clean-up counts.
  const worked = bench(options, cleanup).then(
    (isWhole) => (cleanup.hasEnded ? stopped : isWhole ? 0 : 1),
    (error: unknown) => {
      if (cleanup.hasEnded) return stopped;
      process.stderr.write(`bench: ${messageOf(error)}\n`);
      return 1;
    },
  );
  const code = await Promise.race([worked, stopped]);
  await cleanup.run();
  return code;
}

/** Resolves with the exit code after a signal came and all was undone. */
function whenStopped(cleanup: Cleanup): Promise<number> {
  return new Promise((resolve) => {
    for (const [signal, code] of Object.entries(SIGNAL_EXIT)) {
      process.once(signal, () => {
        process.stderr.write('bench: cleaning up\n');
        stopCommands();
        void cleanup.run().finally(() => resolve(code));
      });
    }
  });
}

process.exit(await main());
