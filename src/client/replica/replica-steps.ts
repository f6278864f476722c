/** Does what a message of the receiver says, one item after the other. */
import { unreachable } from '../../base/assert.js';
import { Errno, errnoName } from '../../base/errno.js';
import { type Fid, formatFid } from '../../base/fid.js';
import type { Connection, Verbatim } from '../../rpc/messages.js';
import type { ReplicaChange, ReplicaContents, ReplicaItem } from '../../rpc/replica-message.js';
import type { Done } from '../recorder.js';
import { inTurn } from './in-turn.js';
import type { ReplicaMount } from './replica-mount.js';

/** What failed, for whoever wrote the message. */
export interface ReplicaFailure {
  readonly errno: Errno;
  /** Which of the items; those before it are done. */
  readonly item: number;
  readonly op: string;
  readonly fid?: string;
  readonly reason: string;
}

export class ReplicaSteps {
  readonly #mds: Connection;
  readonly #replica: ReplicaMount;

  constructor(mds: Connection, replica: ReplicaMount) {
    this.#mds = mds;
    this.#replica = replica;
  }

  /** Stops at the first item that fails. */
  run(items: readonly ReplicaItem[], done: (failure: ReplicaFailure | undefined) => void): void {
    const { contents } = this.#replica;
    contents.announce(items.filter(isContents), (letGo) => {
      const step = (item: ReplicaItem, next: Done): void => this.#step(item, next);
      inTurn(items, step, (errno, at) => {
        letGo();
        this.#replica.view.flush();
        const item = items[at];
        done(errno === 0 || item === undefined ? undefined : failureOf(errno, at, item));
      });
    });
  }

  #step(item: ReplicaItem, done: Done): void {
    const { contents } = this.#replica;
    switch (item.do) {
      case 'begin': {
        const { do: _, ...request } = item;
        const was = this.#replica.active;
        return this.#mds.call('replicaBegin', request, (errno) => {
          if (errno === 0 && !was) this.#replica.began();
          done(errno);
        });
      }
      case 'place':
        return this.#mds.call('replicaPlace', { place: item.place, time: item.time }, (errno) =>
          done(errno),
        );
      case 'promote':
        return contents.settle((errno) => {
          if (errno !== 0) return done(errno);
          this.#mds.call('replicaPromote', undefined, (failed) => done(failed));
        });
      case 'data':
      case 'hole':
        return contents.give(item, done);
      case 'write':
        return contents.record(item, (errno) => {
          this.#replica.view.object(item.fid);
          done(errno);
        });
      case 'change':
        return this.#change(item, done);
      default:
        return unreachable(item);
    }
  }

  #change({ who, change, verbatim }: ReplicaChange, done: Done): void {
    // Afterwards: what is looked up while the change waits is known from before it.
    const changed: Done = (errno) => {
      this.#tell(change, verbatim);
      done(errno);
    };
    if (change.op === 'setattr' && change.change.size !== undefined) {
      return this.#replica.contents.setSize({ do: 'change', who, change, verbatim }, changed);
    }
    this.#mds.call('reint', { who, change, verbatim }, (errno) => changed(errno));
  }

  /** Whether it was made or not: the kernel only asks once more. */
  #tell(change: ReplicaChange['change'], { fid, other }: Verbatim): void {
    const { view } = this.#replica;
    view.object(fid);
    if (other !== undefined) view.object(other);
    if ('parent' in change) view.entry(change.parent, change.name);
    if (change.op === 'rename') view.entry(change.newParent, change.newName);
  }
}

function isContents(item: ReplicaItem): item is ReplicaContents {
  return item.do === 'data' || item.do === 'hole';
}

function failureOf(errno: Errno, item: number, failed: ReplicaItem): ReplicaFailure {
  const op = failed.do === 'change' ? failed.change.op : failed.do;
  const fid = fidOf(failed);
  const about = fid === undefined ? {} : { fid: formatFid(fid) };
  return { errno, item, op, ...about, reason: REASONS[errno] ?? errnoName(errno) };
}

function fidOf(item: ReplicaItem): Fid | undefined {
  if (item.do === 'change') return item.verbatim.fid;
  return item.do === 'data' || item.do === 'hole' || item.do === 'write' ? item.fid : undefined;
}

/** What the server's errno means of a copied change. */
const REASONS: Readonly<Partial<Record<Errno, string>>> = {
  [Errno.ESTALE]:
    'the object is not there, another object has the name, or the record was applied before',
  [Errno.ENOENT]: 'the name, or the directory, is not there',
  [Errno.EEXIST]: 'there is another object of that FID or of that name',
  [Errno.ENOTEMPTY]: 'there is something in the directory or, of a begin, in the store',
  [Errno.ENOTDIR]: 'it is not a directory',
  [Errno.EISDIR]: 'it is a directory',
  [Errno.EINVAL]: 'the change cannot be made of such an object, or at that place',
  [Errno.EBUSY]: 'contents of an object that had the FID before are not removed yet',
  [Errno.EPERM]: 'this is no copy, or one of another filesystem',
  [Errno.ENOSPC]: 'the disk is full, or a feed that must not miss the change has no room',
  [Errno.E2BIG]: 'contents of too many files wait for their records',
  [Errno.EIO]: 'the store is damaged or its disk fails: run feedfs fsck',
};
