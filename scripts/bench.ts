/**
 * `npm run bench [-- SECTION… [options]]`: feedfs and its peers side by side on this
 * machine. Ratios first, then the tables; all figures also as JSON in bench-results/.
 */

import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { Cleanup } from '../test/bench/cleanup.js';
import { Client } from '../test/bench/client.js';
import { makeDisk } from '../test/bench/disk.js';
import { describeMachine, type Machine } from '../test/bench/machine.js';
import { type Peers, preparePeers } from '../test/bench/peers.js';
import { projectDir } from '../test/bench/project.js';
import type { BenchContext, Section, SectionResult } from '../test/bench/section.js';
import { capabilities } from '../test/bench/sections/capabilities.js';
import { drain } from '../test/bench/sections/drain.js';
import { idle } from '../test/bench/sections/idle.js';
import { latency } from '../test/bench/sections/latency.js';
import { lmdb } from '../test/bench/sections/lmdb.js';
import { metadata } from '../test/bench/sections/metadata.js';
import { requests } from '../test/bench/sections/requests.js';
import { roundtrip } from '../test/bench/sections/roundtrip.js';
import { messageOf, stopCommands } from '../test/bench/shell.js';
import { formatRatios, formatTable } from '../test/bench/table.js';

const SECTIONS: readonly Section[] = [
  roundtrip,
  metadata,
  latency,
  drain,
  idle,
  capabilities,
  requests,
  lmdb,
];
/** The sections that compare with the bindings from npm. */
const WITH_BINDINGS = new Set(['roundtrip', 'capabilities']);
/** Load average above which other work disturbs the figures. */
const QUIET_LOAD = 0.5;
const CLIENTS_MAX = 64;
const EXIT_USAGE = 2;
const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

interface Options {
  readonly sections: readonly Section[];
  readonly clients: number;
  readonly json: boolean;
}

function usage(): string {
  const width = Math.max(...SECTIONS.map((s) => s.name.length));
  return [
    'usage: npm run bench [-- SECTION... [--clients N] [--json]]',
    '',
    ...SECTIONS.map((s) => `  ${s.name.padEnd(width)}  ${s.summary}`),
    '',
    '  --clients N  client processes of the metadata section (1)',
    '  --json       print the JSON instead of the tables',
    '',
  ].join('\n');
}

function parse(argv: readonly string[]): Options | string {
  let parsed: ReturnType<typeof parseOptions>;
  try {
    parsed = parseOptions(argv);
  } catch (error) {
    return `bench: ${(error as Error).message}`;
  }
  const { values, positionals } = parsed;
  if (values.help === true) return '';
  const clients = Number(values.clients ?? '1');
  if (!Number.isInteger(clients) || clients < 1 || clients > CLIENTS_MAX)
    return `bench: --clients takes 1 to ${CLIENTS_MAX}`;
  const unknown = positionals.find((name) => !SECTIONS.some((s) => s.name === name));
  if (unknown !== undefined) return `bench: no section ${unknown}`;
  const sections = SECTIONS.filter((s) => positionals.length === 0 || positionals.includes(s.name));
  return { sections, clients, json: values.json === true };
}

function parseOptions(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      clients: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}

interface Outcome {
  readonly name: string;
  readonly seconds: number;
  readonly result: SectionResult | undefined;
  readonly error: string | undefined;
}

async function runSection(section: Section, context: BenchContext): Promise<Outcome> {
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1_000;
  // What a section starts ends with it, so that it does not disturb the next.
  const cleanup = new Cleanup();
  const all = context.cleanup.defer(`section ${section.name}`, () => cleanup.run());
  try {
    const result = await section.run({ ...context, cleanup });
    return { name: section.name, seconds: seconds(), result, error: undefined };
  } catch (error) {
    const text = messageOf(error);
    return { name: section.name, seconds: seconds(), result: undefined, error: text };
  } finally {
    await all();
  }
}

function report(machine: Machine, peers: Peers, outcomes: readonly Outcome[]): string {
  const gib = Math.round(machine.memoryBytes / 1024 ** 3);
  const parts = [
    `${machine.cpu}, ${machine.cpus} CPUs, ${gib} GiB; Linux ${machine.kernel}, Node ${machine.node}\n` +
      `${machine.date}, load before ${machine.load.toFixed(2)}\n`,
  ];
  if (machine.load > QUIET_LOAD)
    parts.push('The machine was busy: ratios of short operations are not reliable.\n');
  const ratios = outcomes.flatMap((o) => o.result?.ratios ?? []);
  if (ratios.length > 0) parts.push(formatRatios(ratios));
  for (const { name, result, error } of outcomes) {
    if (error !== undefined) parts.push(`${name} failed: ${error}\n`);
    if (result === undefined) continue;
    parts.push(...result.tables.map(formatTable));
    if (result.notes.length > 0) parts.push(`${result.notes.map((n) => `  ${n}`).join('\n')}\n`);
  }
  if (peers.missing.length > 0)
    parts.push(`${peers.missing.map((m) => `missing: ${m}`).join('\n')}\n`);
  return parts.join('\n');
}

function jsonOf(machine: Machine, peers: Peers, outcomes: readonly Outcome[]): string {
  const sections = Object.fromEntries(
    outcomes.map(({ name, seconds, result, error }) => [
      name,
      { seconds, ...(error === undefined ? {} : { error }), ...result },
    ]),
  );
  return `${JSON.stringify({ machine, missing: peers.missing, sections }, null, 1)}\n`;
}

function writeResults(machine: Machine, json: string): string {
  const dir = path.join(projectDir, 'bench-results');
  fs.mkdirSync(dir, { recursive: true });
  const file = path.join(dir, `${machine.date.replaceAll(':', '-')}.json`);
  fs.writeFileSync(file, json);
  return path.relative('.', file);
}

async function bench(options: Options, cleanup: Cleanup): Promise<boolean> {
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
  const disk = await makeDisk(cleanup, dir);
  const client = new Client(peers.client);
  const context = { cleanup, dir, disk, peers, client, clients: options.clients, progress };
  const outcomes: Outcome[] = [];
  for (const section of options.sections) outcomes.push(await runSection(section, context));
  const json = jsonOf(machine, peers, outcomes);
  process.stdout.write(options.json ? json : report(machine, peers, outcomes));
  progress(`all figures: ${writeResults(machine, json)}`);
  return outcomes.every((o) => o.error === undefined);
}

async function main(): Promise<number> {
  const options = parse(process.argv.slice(2));
  if (typeof options === 'string') {
    if (options === '') process.stdout.write(usage());
    else process.stderr.write(`${options}\n\n${usage()}`);
    return options === '' ? 0 : EXIT_USAGE;
  }
  const cleanup = new Cleanup();
  const stopped = whenStopped(cleanup);
  // After a signal the sections fail one after the other: only the clean-up counts.
  const worked = bench(options, cleanup).then(
    (isWhole) => (isWhole ? 0 : 1),
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
