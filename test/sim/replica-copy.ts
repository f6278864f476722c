/**
 * A simulated filesystem that is made the copy of another simulated one, through its file
 * `.lustre/replica`: as a receiver does, record by record, contents read at the moment.
 */
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { errnoName } from '../../src/base/errno.js';
import { controlFid, type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { itemsOfBatch } from '../../src/bridges/receive/feedfs/batch-items.js';
import type { KeptContents } from '../../src/bridges/receive/target.js';
import type { Contents } from '../../src/bridges/stream/frame.js';
import type { ChangeRecord } from '../../src/feed/record.js';
import { fsckStore } from '../../src/mds/fsck.js';
import type { ReplicaState, WrittenExtent } from '../../src/rpc/messages.js';
import { encodeReplicaMessage, type ReplicaItem } from '../../src/rpc/replica-message.js';
import type { FakeReply } from '../support/fake-reply.js';
import { namespaceOf } from '../support/namespace-model.js';
import type { Random } from '../support/random.js';
import { flatten } from '../support/replayer.js';
import { Simulated } from '../support/simulated.js';
import {
  O_RDWR,
  type OpenFile,
  openFile,
  releaseOf,
  setattrOf,
  writeOf,
} from '../support/simulated-files.js';

export const REPLICA = controlFid(8);
const COMMIT_US = 6_000;

export class ReplicaCopy {
  sim: Simulated;
  feed = 0;
  readonly #folder: string;
  readonly #source: () => Simulated;
  readonly #random: Random;
  #writer: OpenFile | undefined;
  #instance = 0;

  private constructor(folder: string, source: () => Simulated, random: Random) {
    this.#folder = folder;
    this.#source = source;
    this.#random = random;
    this.sim = new Simulated(join(folder, 'copy-0'), { holdFlushes: true });
    this.sim.connection.call('feedCreate', { name: nameFromText('f') }, (_errno, feed) => {
      this.feed = feed?.id ?? 0;
    });
  }

  /** The source has only its root yet. */
  static async begin(
    folder: string,
    source: () => Simulated,
    random: Random,
  ): Promise<ReplicaCopy> {
    const copy = new ReplicaCopy(folder, source, random);
    await copy.sim.settle();
    copy.sim.holdFlushes = true;
    const { fsid: filesystem } = source().store.identity;
    const place = { epoch: 0, offset: 0, index: 1 };
    await copy.message([
      { do: 'begin', filesystem, feed: 1, baseline: 'complete', place },
      { do: 'change', ...rootAsIn(source()) },
    ]);
    return copy;
  }

  get writer(): OpenFile {
    this.#writer ??= openFile(this.sim, REPLICA);
    return this.#writer;
  }

  /** The next record that it asks for. */
  get index(): number {
    return this.state().source?.applied ?? 0;
  }

  state(): ReplicaState {
    const open = openFile(this.sim, REPLICA, 0);
    const asked = { nodeId: REPLICA, fh: open.fh, offset: 0, size: 4096, flags: 0 };
    const { bytes } = this.sim.ask('read', { ...asked, lockOwner: undefined }).got;
    this.sim.ask('release', releaseOf(open));
    return JSON.parse(Buffer.from(bytes ?? []).toString()) as ReplicaState;
  }

  /** Writes one message, and waits for its answer while the disk works. */
  async message(items: readonly ReplicaItem[]): Promise<void> {
    const reply = this.write(encodeReplicaMessage(items));
    while (!reply.answered) await this.letDiskWork();
    if (reply.errno === 0) return;
    const { fh } = this.writer;
    const asked = { nodeId: REPLICA, fh, offset: 0, size: 4096, flags: 0, lockOwner: undefined };
    const { bytes } = this.sim.ask('read', asked).got;
    throw new Error(`${errnoName(reply.errno ?? 0)}: ${Buffer.from(bytes ?? [])}`);
  }

  write(message: Uint8Array): FakeReply {
    this.sim.clock.advance(10);
    return this.sim.ask('write', writeOf(this.writer, 0, message));
  }

  async letDiskWork(): Promise<void> {
    this.sim.clock.advance(COMMIT_US);
    this.sim.tick();
    await this.sim.finishFlush();
  }

  /** Everything in these records, some of them in one message. */
  async apply(records: readonly ChangeRecord[]): Promise<void> {
    for (let at = 0; at < records.length; ) {
      const count = 1 + this.#random.below(12);
      for (const message of this.messagesOf(records.slice(at, at + count))) {
        await this.message(message);
      }
      at += count;
    }
  }

  /** As a receiver has them, contents as they are now. */
  messagesOf(records: readonly ChangeRecord[]): ReplicaItem[][] {
    const messages: ReplicaItem[][] = [[]];
    const add = (item: ReplicaItem): void => {
      if (item.do === 'data' && this.#random.chance(50)) messages.push([]);
      messages.at(-1)?.push(item);
    };
    const first = records[0];
    if (first === undefined) return messages;
    const placeAt = (index: number) => ({ epoch: 0, offset: index * 100, index });
    const to = placeAt((records.at(-1) ?? first).index + 1);
    const { time } = first;
    const contents = this.#contentsOf(records);
    for (const item of itemsOfBatch({ from: placeAt(first.index), to, records, contents, time })) {
      add(item);
    }
    return messages;
  }

  #contentsOf(records: readonly ChangeRecord[]): KeptContents {
    const partsOf = (fid: Fid): readonly Contents[] => {
      const extents = records.flatMap((one) => (isWrite(one, fid) ? one.extents : []));
      return contentsNow(this.#source(), fid, extents);
    };
    return { bytes: 0, parts: () => [], partsOf };
  }

  /** Killed, and started again. */
  async crash(machine: boolean): Promise<void> {
    const next = join(this.#folder, `copy-${++this.#instance}`);
    const { clock } = this.sim;
    await this.sim.crash(next);
    assert.equal(fsckStore(next).findings, [], 'fsck of the copy');
    clock.advance(1_000_000);
    const bootId = machine ? `copy-${this.#instance}` : 'copy';
    this.sim = new Simulated(next, { clock, bootId, holdFlushes: true });
    this.#writer = undefined;
  }

  /** The same as the source, which is at rest. */
  async compare(): Promise<void> {
    await this.sim.settle();
    this.sim.holdFlushes = true;
    const source = this.#source();
    const there = flatten(namespaceOf(source));
    const here = flatten(namespaceOf(this.sim));
    assert.equal([...here], [...there], 'namespace');
    for (const [path, node] of there) {
      const { fid, mode, size } = node as { fid: Fid; mode: number; size: number };
      if ((mode & 0o170000) !== 0o100000) continue;
      const same = contents(this.sim, fid, size).equals(contents(source, fid, size));
      assert.ok(same, `contents of ${path}`);
    }
  }
}

function isWrite(
  record: ChangeRecord,
  fid: Fid,
): record is Extract<ChangeRecord, { readonly op: 'write' }> {
  return record.op === 'write' && record.fid === fid;
}

/** Its attributes, so that the copy begins with them. */
function rootAsIn(source: Simulated) {
  const { attr } = source.ask('getattr', { nodeId: ROOT_FID, fh: undefined }).got;
  if (attr === undefined) throw new Error('no root');
  const { mode, uid, gid, atime, mtime, ctime } = attr;
  const change = {
    op: 'setattr',
    fid: ROOT_FID,
    change: { mode, uid, gid, atime, mtime },
  } as const;
  const who = { uid: 0, gid: 0, pid: 0, nid: '0@lo', jobid: '' };
  return { who, change, verbatim: { time: ctime, fid: ROOT_FID } };
}

function contentsNow(sim: Simulated, fid: Fid, extents: readonly WrittenExtent[]): Contents[] {
  const reply = sim.ask('getattr', { nodeId: fid, fh: undefined });
  const size = reply.got.attr?.size ?? 0;
  if (reply.errno !== 0) return [];
  const bytes = contents(sim, fid, size);
  const parts: Contents[] = [];
  for (const { offset, length } of extents) {
    const part = bytes.subarray(offset, Math.min(offset + length, size));
    if (part.length === 0) continue;
    if (part.every((byte) => byte === 0)) {
      parts.push({ kind: 'hole', fid, offset, length: part.length });
    } else parts.push({ kind: 'data', fid, offset, bytes: part });
  }
  return parts;
}

export function contents(sim: Simulated, fid: Fid, size: number): Buffer {
  const open = openFile(sim, fid, 0);
  const asked = { nodeId: fid, fh: open.fh, offset: 0, size, flags: 0, lockOwner: undefined };
  const { bytes } = sim.ask('read', asked).got;
  sim.ask('release', releaseOf(open));
  return Buffer.from(bytes ?? []);
}

/** Whoever tries to change anything but the receiver. */
export function changesRefused(sim: Simulated, fid: Fid): string[] {
  const own = { nodeId: ROOT_FID, name: nameFromText('mine'), umask: 0 };
  return [
    sim.ask('create', { ...own, mode: 0o644, flags: O_RDWR, killSuidgid: false }),
    sim.ask('mkdir', { ...own, mode: 0o755 }),
    sim.ask('symlink', { ...own, target: 'x' }),
    sim.ask('unlink', own),
    sim.ask('setattr', setattrOf(fid, { mode: 0o600 })),
    sim.ask('setattr', setattrOf(fid, { size: 0 })),
    sim.ask('setattr', setattrOf(fid, { atime: 'now' })),
    sim.ask('open', { nodeId: fid, flags: O_RDWR, killSuidgid: false }),
    sim.ask('open', { nodeId: fid, flags: 0o1000, killSuidgid: false }),
  ].map(({ outcome }) => outcome);
}
