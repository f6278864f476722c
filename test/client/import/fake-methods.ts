/** What a fake server of one client has in memory besides changes, and how it answers calls. */
import { Errno } from '../../../src/base/errno.js';
import type { Fid } from '../../../src/base/fid.js';
import type { Attributes, Method, RequestOf } from '../../../src/rpc/messages.js';
import type { Answer, Call, Capability, KeyId, OpenHandle, Xid } from '../../../src/rpc/session.js';

export const MAC = new Uint8Array(32).fill(7);
export const TIME = { sec: 1_700_000_000, nsec: 5 };
const LIFE_SEC = 172_800;

export function attributesOf(fid: Fid): Attributes {
  const times = { atime: TIME, mtime: TIME, ctime: TIME };
  const owner = { uid: 0, gid: 0, rdev: 0, size: 0, blocks: 0 };
  return { fid, mode: 0o100644, nlink: 1, ...owner, ...times, layout: 'empty', generation: 0 };
}

export class FakeMethods {
  /** What a client did that it must not do. */
  readonly faults: string[] = [];
  readonly opens = new Map<OpenHandle, Fid>();
  readonly feeds = new Map<number, number>();
  readonly watches = new Map<number, string>();
  key = 1 as KeyId;
  nowSec: () => number = () => TIME.sec;
  readonly #committed: () => number;
  #nextHandle = 1;
  #nextWatch = 1;

  constructor(committed: () => number) {
    this.#committed = committed;
  }

  /** The process is gone. */
  forget(): void {
    this.opens.clear();
    this.feeds.clear();
    this.watches.clear();
  }

  execute({ xid, payload: { method, request } }: Call): Answer {
    switch (method) {
      case 'open': {
        const { fid } = request as RequestOf<'open'>;
        const result = { attributes: attributesOf(fid), contents: undefined };
        return this.answer('open', xid, { result, capability: this.open(fid) });
      }
      case 'close': {
        const { fid } = request as RequestOf<'close'>;
        const handles = [...this.opens].filter(([, of]) => of === fid).map(([handle]) => handle);
        const first = Math.min(...handles) as OpenHandle;
        if (!this.opens.delete(first)) this.faults.push(`close of ${fid}, which is not open`);
        return this.answer('close', xid, {});
      }
      case 'getattr': {
        const { fid } = request as RequestOf<'getattr'>;
        return this.answer('getattr', xid, { result: attributesOf(fid) });
      }
      case 'sync':
        return this.answer('sync', xid, {});
      case 'feedOpen': {
        const { id } = request as RequestOf<'feedOpen'>;
        if (id === 666) return this.answer('feedOpen', xid, { errno: Errno.EIDRM });
        this.feeds.set(id, (this.feeds.get(id) ?? 0) + 1);
        return this.answer('feedOpen', xid, { result: { epoch: 0 } });
      }
      case 'feedClose': {
        const { id } = request as RequestOf<'feedClose'>;
        this.feeds.set(id, (this.feeds.get(id) ?? 0) - 1);
        return this.answer('feedClose', xid, {});
      }
      case 'watchOpen':
        this.watches.set(this.#nextWatch, '');
        return this.answer('watchOpen', xid, { result: { id: this.#nextWatch++ } });
      case 'watchFilter': {
        const { id, text } = request as RequestOf<'watchFilter'>;
        this.watches.set(id, text);
        return this.answer('watchFilter', xid, {});
      }
      case 'watchNext':
        return this.answer('watchNext', xid, { errno: Errno.EAGAIN });
      case 'baselineOpen':
        return this.answer('baselineOpen', xid, { result: { id: 7 } });
      default:
        return this.answer(method, xid, {});
    }
  }

  answer(method: Method, xid: Xid, parts: Partial<Answer>): Answer {
    return {
      kind: 'answer',
      xid,
      method,
      errno: 0,
      result: undefined,
      committed: this.#committed(),
      receipt: undefined,
      capability: undefined,
      uncached: [],
      exclusive: undefined,
      ...parts,
    };
  }

  open(fid: Fid): Capability {
    const handle = this.#nextHandle++ as OpenHandle;
    this.opens.set(handle, fid);
    return this.capability(fid, handle);
  }

  capability(fid: Fid, handle: OpenHandle): Capability {
    const expires = this.nowSec() + LIFE_SEC;
    return { fid, handle, rights: 'read', uid: 0, expires, key: this.key, mac: MAC };
  }
}
