/**
 * The client side: the compiled program where there is one. Without a C compiler a
 * Node process does the reads and the metadata, which costs some microseconds a
 * call, the same for every competitor.
 */
import { must } from '../../src/base/assert.js';
import { LONG_COMMAND_MS_MAX } from './limits.js';
import { benchProgram } from './project.js';
import type { Figures } from './samples.js';
import { run } from './shell.js';

export const METADATA_PHASES = [
  'create',
  'mkdir',
  'rename',
  'unlink',
  'rmdir',
  'open+close',
  'chmod',
  'list',
  'stat',
] as const;
export type MetadataPhase = (typeof METADATA_PHASES)[number];
/** Operations per second. */
export type MetadataRates = Readonly<Record<MetadataPhase, number>>;

export interface LatencySample {
  readonly begunToAwakeUs: number;
  readonly returnedToAwakeUs: number;
}
export interface Drained {
  readonly seconds: number;
  readonly bytes: number;
  readonly records: number;
  readonly reads: number;
  readonly gaps: number;
}
export interface Capabilities {
  readonly pollWaits: boolean;
  readonly seekData: number;
  readonly sigintMs: number;
  readonly sigkillMs: number;
}

/** Percentiles of a call's duration, microseconds. */
export interface ChangeLatency {
  readonly operations: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}
export type IoKind = 'write' | 'read' | 'random-write' | 'random-read';

const PROBE_MS_MAX = 15_000;
const NS_PER_US = 1_000;

function secondsOf(text: string): number {
  return (JSON.parse(text) as { seconds: number }).seconds;
}

function nsOf(text: string): number {
  return (JSON.parse(text) as { nsPerOperation: number }).nsPerOperation;
}

export class Client {
  readonly #command: readonly string[];
  readonly isCompiled: boolean;

  constructor(compiled: string | undefined) {
    this.isCompiled = compiled !== undefined;
    this.#command =
      compiled === undefined ? [process.execPath, benchProgram('client-node')] : [compiled];
  }

  #run(args: readonly string[], prefix: readonly string[] = [], timeoutMs?: number) {
    const [command, ...rest] = [...prefix, ...this.#command, ...args];
    return run(must(command, 'command'), rest, timeoutMs === undefined ? {} : { timeoutMs });
  }

  /** Microseconds per uncached 11-byte pread. `cpu` pins the client. */
  async pread(file: string, count: number, how: 'plain' | 'direct', cpu?: number): Promise<number> {
    const prefix = cpu === undefined ? [] : ['taskset', '-c', String(cpu)];
    const text = await this.#run(['pread', file, String(count), how], prefix);
    return nsOf(text) / NS_PER_US;
  }

  async metadata(dir: string, files: number, clients: number): Promise<MetadataRates> {
    if (clients > 1 && !this.isCompiled) throw new Error('several clients need a C compiler');
    const text = await this.#run(['metadata', dir, String(files), String(clients)]);
    return JSON.parse(text) as MetadataRates;
  }

  /** Makes directories one at a time and measures how long the waiter sleeps on. */
  async latency(
    dir: string,
    watched: string,
    kind: 'level' | 'edge' | 'inotify',
    samples: number,
    pauseUs: number,
  ): Promise<readonly LatencySample[]> {
    const args = ['latency', dir, watched, kind, String(samples), String(pauseUs)];
    const lines = (await this.#run(args)).trim().split('\n');
    return lines
      .filter((line) => !line.startsWith('spurious'))
      .map((line) => {
        const [begun, returned] = line.split(' ').map(Number);
        return {
          begunToAwakeUs: must(begun, 'begun') / NS_PER_US,
          returnedToAwakeUs: must(returned, 'returned') / NS_PER_US,
        };
      });
  }

  /** Makes a backlog; seconds. */
  async load(dir: string, creates: number, chmods: number, clients: number): Promise<number> {
    const args = ['load', dir, String(creates), String(chmods), String(clients)];
    return secondsOf(await this.#run(args, [], LONG_COMMAND_MS_MAX));
  }

  /** Makes `dir` and in it a tree of files, 100 to a directory; seconds. */
  async growTree(dir: string, files: number, clients: number): Promise<number> {
    const args = ['grow-tree', dir, String(files), String(clients)];
    return secondsOf(await this.#run(args, [], LONG_COMMAND_MS_MAX));
  }

  /** Makes `dir` with all the files in it; seconds. */
  async growFlat(dir: string, files: number, clients: number): Promise<number> {
    const args = ['grow-flat', dir, String(files), String(clients)];
    return secondsOf(await this.#run(args, [], LONG_COMMAND_MS_MAX));
  }

  /** Nanoseconds per operation at random places of a tree made by growTree, on a mount that is new. */
  async treeOperations(dir: string, files: number, count: number): Promise<Figures> {
    const args = ['tree-operations', dir, String(files), String(count)];
    return JSON.parse(await this.#run(args)) as Figures;
  }

  /** Nanoseconds per operation in a directory made by growFlat, on a mount that is new. */
  async flatOperations(dir: string, files: number, count: number): Promise<Figures> {
    const args = ['flat-operations', dir, String(files), String(count)];
    return JSON.parse(await this.#run(args)) as Figures;
  }

  /** Seconds for the whole of `bytes`, or for `count` random pieces of 4 KiB. */
  async io(file: string, kind: IoKind, bytes: number, count: number): Promise<number> {
    return secondsOf(await this.#run(['file-io', file, kind, String(bytes), String(count)]));
  }

  /** Nanoseconds of lseek(SEEK_DATA) from the file's begin. */
  async seekData(file: string, count: number): Promise<number> {
    return nsOf(await this.#run(['seek-data', file, String(count)]));
  }

  /** Nanoseconds of a pread of the file's last `bytes`. */
  async readEnd(file: string, count: number, bytes: number): Promise<number> {
    return nsOf(await this.#run(['read-end', file, String(count), String(bytes)]));
  }

  /** Changes modes in the new directory `dir` for so long. */
  async changeLatency(dir: string, ms: number): Promise<ChangeLatency> {
    return JSON.parse(await this.#run(['change-latency', dir, String(ms)])) as ChangeLatency;
  }

  async drain(file: string, kind: 'records' | 'lines'): Promise<Drained> {
    return JSON.parse(await this.#run(['drain', file, kind])) as Drained;
  }

  /** Seconds that a punched hole takes. */
  async punch(file: string, offset: number, length: number): Promise<number> {
    return secondsOf(await this.#run(['punch', file, String(offset), String(length)]));
  }

  /** Makes one call of each kind in `dir`, and marks them in the file `trace`. */
  async traceCalls(dir: string, trace: string): Promise<void> {
    await this.#run(['trace-calls', dir, trace]);
  }

  /** What the server of the two files lets through. Leaves a stuck reader behind where SIGKILL does not end it. */
  async probe(testFile: string, quietFile: string): Promise<Capabilities> {
    const ask = async (verb: string, file: string) =>
      JSON.parse(await this.#run([verb, file], [], PROBE_MS_MAX)) as Record<string, unknown>;
    const poll = await ask('probe-poll', quietFile);
    const seek = await ask('probe-seek', testFile);
    const interrupt = await ask('probe-interrupt', quietFile);
    return {
      pollWaits: poll.waits === true,
      seekData: Number(seek.seekData),
      sigintMs: Number(interrupt.sigintMs),
      sigkillMs: Number(interrupt.sigkillMs),
    };
  }
}
