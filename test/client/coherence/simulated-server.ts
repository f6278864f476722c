/** A server that keeps one number per object, its latest version, and the real cache locks. */
import { Errno } from '../../../src/base/errno.js';
import type { Fid } from '../../../src/base/fid.js';
import { S_IFREG } from '../../../src/base/mode.js';
import type { FileName } from '../../../src/base/name.js';
import { ZERO_TIME } from '../../../src/base/time.js';
import type { RecallTarget } from '../../../src/mds/export/parts.js';
import { createCacheLocks, type ServerLocks } from '../../../src/mds/locks/cache-locks.js';
import type { Attributes, Method, Reint, RequestOf, ResultOf } from '../../../src/rpc/messages.js';
import type { ClientId } from '../../../src/rpc/session.js';

/** As `blocks` of a write: by a mapping, others may have changed the file since. */
const MAPPED = 1;

/** What was written as of that version. */
export function recordOf(fid: Fid, version: number, mapped: boolean): Reint {
  const blocks = mapped ? MAPPED : 0;
  const none = { contents: undefined, killSuidgid: false, keepIntent: false, blocks };
  const what = { extents: [], mtime: ZERO_TIME, layout: 'object', generation: 0 } as const;
  return { op: 'write', fid, size: version, ...what, ...none };
}

export const DIRECTORY = 1000 as Fid;

export interface Call {
  readonly kind: 'call';
  readonly xid: number;
  readonly method: Method;
  readonly request: RequestOf<Method>;
}

export type ToServer =
  | Call
  | { readonly kind: 'recall-done'; readonly id: number }
  | { readonly kind: 'released'; readonly fids: readonly Fid[] };

export interface Answered {
  readonly kind: 'answer';
  readonly xid: number;
  readonly errno: Errno | 0;
  readonly result: ResultOf<Method> | undefined;
  /** Of what was asked about: the object's, or the name's. */
  readonly version: number;
  readonly uncached: readonly Fid[];
  readonly exclusive: Fid | undefined;
}

export type ToClient =
  | Answered
  | {
      readonly kind: 'recall';
      readonly id: number;
      readonly fids: readonly Fid[];
      readonly want: 'flush' | 'drop';
    };

export interface ServerWorld {
  nowUs(): number;
  /** The next version: greater than all before. */
  stamp(): number;
  send(to: ClientId, message: ToClient): void;
  evicted(client: ClientId): void;
  /** Undefined: now. Else the change waits for room, and is made when that is called. */
  later(make: () => void): boolean;
}

export function attributes(fid: Fid, version: number): Attributes {
  const times = { atime: ZERO_TIME, mtime: ZERO_TIME, ctime: ZERO_TIME };
  return {
    ...{ fid, mode: S_IFREG | 0o644, nlink: 1, uid: 0, gid: 0, rdev: 0, size: version },
    ...{ blocks: 0, layout: 'inline', generation: 0, ...times },
  };
}

type Asked = { [M in Method]: { method: M; request: RequestOf<M> } }[Method];
interface Outcome {
  readonly errno: Errno | 0;
  readonly result: ResultOf<Method> | undefined;
  readonly version: number;
}

export class SimulatedServer implements RecallTarget {
  readonly locks: ServerLocks;
  readonly versions = new Map<Fid, number>();
  readonly #names = new Map<string, { fid: Fid | undefined; version: number }>();
  readonly #world: ServerWorld;
  #lastChild = 2000;

  constructor(world: ServerWorld, cachedMax: number) {
    this.#world = world;
    this.locks = createCacheLocks(this, {
      nowUs: () => world.nowUs(),
      lookup: (_parent, name) => this.#names.get(name)?.fid,
      openElsewhere: () => false,
      cachedMax,
    });
  }

  recall(to: ClientId, id: number, fids: readonly Fid[], want: 'flush' | 'drop'): void {
    this.#world.send(to, { kind: 'recall', id, fids, want });
  }

  evict(client: ClientId): void {
    this.#world.evicted(client);
  }

  receive(from: ClientId, message: ToServer): void {
    if (message.kind === 'recall-done') this.locks.recallDone(from, message.id);
    else if (message.kind === 'released') this.locks.released(from, message.fids);
    else this.#call(from, message);
  }

  #call(from: ClientId, { xid, method, request }: Call): void {
    const make = (): void => {
      const { errno, result, version } = this.#outcome({ method, request } as Asked);
      const kept = this.locks.answered(from, method, request, errno, result, []);
      this.#world.send(from, { kind: 'answer', xid, errno, result, version, ...kept });
    };
    this.locks.admit(from, method, request, () => {
      if (method !== 'reint' || !this.#world.later(make)) make();
    });
  }

  #outcome(asked: Asked): Outcome {
    switch (asked.method) {
      case 'reint':
        return this.#change(asked.request.change);
      case 'lookup': {
        const { fid, version = 0 } = this.#names.get(asked.request.name) ?? {};
        if (fid === undefined) return { errno: Errno.ENOENT, result: undefined, version };
        return { errno: 0, result: attributes(fid, this.versions.get(fid) ?? 0), version };
      }
      case 'getattr':
      case 'lock': {
        const version = this.versions.get(asked.request.fid) ?? 0;
        return { errno: 0, result: attributes(asked.request.fid, version), version };
      }
      case 'statfs':
        return { errno: 0, result: undefined, version: 0 };
      case 'contents': {
        const version = this.versions.get(asked.request.fid) ?? 0;
        const of = attributes(asked.request.fid, version);
        return { errno: 0, result: { attributes: of, contents: undefined }, version };
      }
      default:
        throw new Error(`not simulated: ${asked.method}`);
    }
  }

  #change(change: Reint): Outcome {
    switch (change.op) {
      case 'write': {
        const last = this.versions.get(change.fid) ?? 0;
        const version = change.blocks === MAPPED ? Math.max(last, change.size) : change.size;
        if (version < last) throw new Error('an older write came later');
        this.versions.set(change.fid, version);
        return this.#changed(change.fid, version);
      }
      case 'setattr': {
        const version = this.#world.stamp();
        this.versions.set(change.fid, version);
        return this.#changed(change.fid, version);
      }
      case 'create':
      case 'unlink':
        return this.#toggle(change.name, change.op === 'create');
      default:
        throw new Error(`not simulated: ${change.op}`);
    }
  }

  #toggle(name: FileName, exists: boolean): Outcome {
    const now = this.#names.get(name) ?? { fid: undefined, version: 0 };
    if ((now.fid !== undefined) === exists) {
      const errno = exists ? Errno.EEXIST : Errno.ENOENT;
      return { errno, result: undefined, version: now.version };
    }
    const version = this.#world.stamp();
    const fid = now.fid ?? (++this.#lastChild as Fid);
    this.versions.set(fid, version);
    this.#names.set(name, { fid: exists ? fid : undefined, version });
    return this.#changed(fid, version);
  }

  #changed(fid: Fid, version: number): Outcome {
    const result = {
      attributes: attributes(fid, version),
      kept: undefined,
      transno: 0,
      time: ZERO_TIME,
    };
    return { errno: 0, result, version };
  }
}
