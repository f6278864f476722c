/** A simulated filesystem that is told what to copy through its file `.lustre/replica`, item by item. */
import * as assert from 'uvu/assert';
import { errnoName } from '../../src/base/errno.js';
import { controlFid, type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import type { Timespec } from '../../src/base/time.js';
import type { Credentials, WrittenExtent } from '../../src/rpc/messages.js';
import {
  encodeReplicaMessage,
  type ReplicaItem,
  type ReplicaWrite,
} from '../../src/rpc/replica-message.js';
import type { Context } from '../mds/reint-fixture.js';
import { owedRecords } from '../support/namespace-model.js';
import type { Simulated } from '../support/simulated.js';
import {
  contentsOf,
  type OpenFile,
  openFile,
  releaseOf,
  writeOf,
} from '../support/simulated-files.js';

const REPLICA = controlFid(8);
export const WHO: Credentials = { uid: 7, gid: 8, pid: 99, jobid: 'cp.7', nid: '0@lo' };
export const TIME: Timespec = { sec: 77, nsec: 5 };
export const F = 131_090 as Fid;
/** Contents so long are an object file's. */
export const LARGE = 20_000;

export const BEGIN: ReplicaItem = {
  ...{ do: 'begin', filesystem: 'ff'.repeat(16), feed: 1, baseline: 'complete' },
  place: { epoch: 0, offset: 0, index: 1 },
};

export function created(fid: Fid, name: string): ReplicaItem {
  const times = { atime: TIME, mtime: TIME, ctime: TIME };
  const attributes = { mode: 0o100_644, uid: 1, gid: 2, rdev: 0, ...times };
  const at = { parent: ROOT_FID, name: nameFromText(name) };
  const change = { op: 'create', ...at, mode: 0, umask: 0, rdev: 0, open: false } as const;
  return { do: 'change', who: WHO, change, verbatim: { time: TIME, fid, attributes } };
}

export function data(fid: Fid, offset: number, length: number, value: number): ReplicaItem {
  return { do: 'data', fid, offset, bytes: new Uint8Array(length).fill(value) };
}

export function written(
  fid: Fid,
  size: number,
  extents: readonly WrittenExtent[] = [{ offset: 0, length: size }],
  more: Partial<ReplicaWrite> = {},
): ReplicaItem {
  const times = { time: TIME, mtime: TIME, ctime: TIME };
  return { do: 'write', who: WHO, fid, size, extents, ...times, ...more };
}

export class Receiving {
  readonly #sim: Simulated;
  readonly #open: OpenFile;

  constructor(sim: Simulated) {
    this.#sim = sim;
    this.#open = openFile(sim, REPLICA);
  }

  /** The outcome of one message, and the line that the file gives after a failure. */
  async message(...items: ReplicaItem[]): Promise<string> {
    const reply = await this.#sim.answer(
      'write',
      writeOf(this.#open, 0, encodeReplicaMessage(items)),
    );
    return reply.errno === 0 ? 'ok' : errnoName(reply.errno ?? 0);
  }

  async done(...items: ReplicaItem[]): Promise<void> {
    assert.is(await this.message(...items), 'ok');
  }

  close(): void {
    this.#sim.ask('release', releaseOf(this.#open));
  }
}

/** Extents of the records that the own feed has of writes. */
export async function told({ sim, feed }: Context, from = 0): Promise<(readonly number[])[][]> {
  await sim.settle();
  return owedRecords(sim, feed)
    .slice(from)
    .flatMap((record) => (record.op === 'write' ? [record.extents] : []))
    .map((extents) => extents.map(({ offset, length }) => [offset, length]));
}

export async function contents(sim: Simulated, fid: Fid, size = LARGE): Promise<Buffer> {
  const open = openFile(sim, fid, 0);
  const found = await contentsOf(sim, open, size);
  sim.ask('release', releaseOf(open));
  return found;
}

/** A copy with a file of LARGE bytes of ones. */
export async function withFile({ sim }: Context): Promise<Receiving> {
  const receiving = new Receiving(sim);
  await receiving.done(BEGIN, created(F, 'f'), data(F, 0, LARGE, 1), written(F, LARGE));
  return receiving;
}
