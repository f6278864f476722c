/** A simulated filesystem whose feeds have policies, and whose clocks a test moves. */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { type Errno, errnoName } from '../../src/base/errno.js';
import { ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import type { Timespec } from '../../src/base/time.js';
import type { FeedView, Method, RequestOf, ResultOf } from '../../src/rpc/messages.js';
import { FakeClock } from '../support/fake-clock.js';
import { withFolder } from '../support/mount.js';
import { Simulated } from '../support/simulated.js';
import { bytes, type OpenFile, writeOf } from '../support/simulated-files.js';

export const DAY_US = 86_400 * 1_000_000;
const WHO = { uid: 0, gid: 0, pid: 1, jobid: 'test.0', nid: '0@lo' };
const DIRECTORY = 0o040755;

/** Its wall time can be set wrong. */
export class SkewedClock extends FakeClock {
  skewSec = 0;

  override now(): Timespec {
    const { sec, nsec } = super.now();
    return { sec: sec + this.skewSec, nsec };
  }
}

/** What `info` says, as far as these tests ask. */
export interface Info {
  readonly state: string;
  readonly owedRecords: string;
  readonly owedBytes: string;
  readonly idleSeconds: number;
  readonly opens: number;
  readonly full: boolean;
  readonly lastError: string | null;
  readonly policy: Readonly<Record<string, unknown>>;
  readonly lost: Loss | null;
  readonly expired: Loss | null;
}

interface Loss {
  readonly why: string;
  readonly firstIndex: string;
  readonly lastIndex: string;
  readonly records: string;
  readonly bytes: string;
}

export class RetentionRun {
  readonly #folder: string;
  #generation = 0;
  clock = new SkewedClock();
  sim: Simulated;
  #made = 0;

  constructor(folder: string) {
    this.#folder = folder;
    this.sim = new Simulated(join(folder, 'store-0'), { clock: this.clock });
  }

  /** An RPC's result, or its errno's name; lets the disk work until it is answered. */
  async call<M extends Method>(method: M, request: RequestOf<M>): Promise<ResultOf<M> | string> {
    let outcome: { errno: Errno | 0; result: ResultOf<M> | undefined } | undefined;
    this.sim.connection.call(method, request, (errno, result) => {
      outcome = { errno, result };
    });
    // As the session does after each request.
    this.sim.tick();
    await this.sim.settle();
    if (outcome === undefined) throw new Error(`${method} was not answered`);
    const { errno, result } = outcome;
    return errno === 0 ? (result as ResultOf<M>) : errnoName(errno);
  }

  /** The id of a new feed. */
  async feed(text: string, policy = ''): Promise<number> {
    const feed = await this.call('feedCreate', { name: nameFromText(text) });
    if (typeof feed === 'string') throw new Error(`feedCreate: ${feed}`);
    if (policy !== '') await this.policy(feed.id, policy);
    return feed.id;
  }

  async policy(id: number, text: string): Promise<void> {
    const outcome = await this.call('feedSetText', { id, file: 'policy', text });
    if (outcome !== undefined) throw new Error(`policy ${text}: ${outcome}`);
  }

  async info(id: number): Promise<Info> {
    return JSON.parse(await this.text(id, 'info')) as Info;
  }

  async text(id: number, file: 'info' | 'filter' | 'policy'): Promise<string> {
    const text = await this.call('feedText', { id, file });
    if (text === undefined) throw new Error('no text');
    return text;
  }

  /** One change; `ok`, or why it failed. */
  async mkdir(name = `d-${this.#made++}`): Promise<string> {
    const asked = { parent: ROOT_FID, name: nameFromText(name), umask: 0, rdev: 0, open: false };
    const change = { op: 'create', mode: DIRECTORY, ...asked } as const;
    const outcome = await this.call('reint', { who: WHO, change });
    return typeof outcome === 'string' ? outcome : 'ok';
  }

  async mkdirs(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const outcome = await this.mkdir();
      if (outcome !== 'ok') throw new Error(`mkdir: ${outcome}`);
    }
  }

  /** What a write to an open file is answered with. */
  async write(file: OpenFile): Promise<string> {
    return (await this.sim.answer('write', writeOf(file, 0, bytes(100, 1)))).outcome;
  }

  async open(id: number): Promise<string> {
    const outcome = await this.call('feedOpen', { id });
    return typeof outcome === 'string' ? outcome : 'ok';
  }

  /** What one FIFO read of everything brings: bytes, the end of the feed, or an errno. */
  async read(id: number, view: FeedView = 'stream'): Promise<Buffer | string> {
    const into = Buffer.alloc(1024 * 1024);
    const chunk = await this.call('feedNext', { id, view, epoch: 0, cursor: 0, into });
    if (typeof chunk === 'string') return chunk;
    return chunk.gone ? 'end' : into.subarray(0, chunk.length);
  }

  /** The lines that the feed owes. */
  async lines(id: number): Promise<Readonly<Record<string, unknown>>[]> {
    const bytes = await this.read(id, 'ndjson');
    if (typeof bytes === 'string') return [];
    const lines = bytes.toString('utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  }

  async acknowledge(id: number, length: number, view: FeedView = 'stream'): Promise<void> {
    const outcome = await this.call('feedPunch', { id, view, epoch: 0, offset: 0, length });
    if (outcome !== undefined) throw new Error(`feedPunch: ${outcome}`);
  }

  /** The machine goes down as it is, or in order; and comes back with clocks that began anew. */
  async restart(how: 'crash' | 'stop', offSec = 0): Promise<void> {
    const path = join(this.#folder, `store-${++this.#generation}`);
    const { skewSec, us } = this.clock;
    if (how === 'crash') await this.sim.crash(path);
    else {
      await this.sim.server.settle();
      const { path: before } = this.sim;
      await this.sim.close();
      renameSync(before, path);
    }
    this.clock = new SkewedClock();
    this.clock.skewSec = skewSec + offSec + Math.floor(us / 1_000_000);
    this.sim = new Simulated(path, { clock: this.clock });
    await this.sim.settle();
  }
}

export async function withRetention(use: (run: RetentionRun) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const run = new RetentionRun(folder);
    try {
      await run.sim.settle();
      await use(run);
    } finally {
      await run.sim.close();
    }
  });
}
