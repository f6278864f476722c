/**
 * The control tree as the kernel sees it: entries, attributes, listings, opens. What
 * there is follows from nodes.ts and from the feeds that the server has.
 */
import { Errno } from '../../base/errno.js';
import { type Fid, isControlFid, parseFid, ROOT_FID } from '../../base/fid.js';
import { isDirectory } from '../../base/mode.js';
import { type FileName, NAME_BYTES_MAX } from '../../base/name.js';
import { type Timespec, ZERO_TIME } from '../../base/time.js';
import type { Attr, Entry, EntryReply, Reply } from '../../fuse/api.js';
import type { FeedText } from '../../rpc/messages.js';
import { toAttr } from '../attr.js';
import type { ClientContext } from '../context.js';
import {
  type ControlNode,
  fidOfNode,
  fixedEntries,
  modeOfNode,
  nodeOfFid,
  withoutFeed,
} from './nodes.js';

/** Cookies of `.` and `..`. */
const DOT_COOKIE = 1;
const DOT_DOT_COOKIE = 2;

/** What differs from node to node; the rest of the attributes is fixed. */
interface Variable {
  readonly size: number;
  readonly blocks: number;
  readonly mtime: Timespec;
}

const NOTHING: Variable = { size: 0, blocks: 0, mtime: ZERO_TIME };

/** Attributes of `.lustre` itself, for its lookup in the root. */
export function lookupControl(context: ClientContext, reply: EntryReply): void {
  new ControlTree(context).entry(fidOfNode({ kind: 'top' }), reply);
}

export type AddEntry = (fid: Fid, cookie: number, directory: boolean, name: string) => boolean;

export class ControlTree {
  readonly #context: ClientContext;

  constructor(context: ClientContext) {
    this.#context = context;
  }

  lookup(parent: Fid, name: FileName, reply: EntryReply): void {
    const node = nodeOfFid(parent);
    if (node === undefined) return reply.error(Errno.ENOENT);
    // The kernel passes on names of up to 1024 bytes.
    if (name.length > NAME_BYTES_MAX) return reply.error(Errno.ENAMETOOLONG);
    const fixed = fixedEntries(node).find(([entry]) => entry === name);
    if (fixed !== undefined) return this.entry(fidOfNode(fixed[1]), reply);
    if (node.kind === 'fids') return this.#lookupFid(name, reply);
    if (node.kind !== 'feeds') return reply.error(Errno.ENOENT);
    this.#context.mds.call('feedLookup', { name }, (errno, feed) => {
      if (feed === undefined) reply.error(errno === 0 ? Errno.EIO : errno);
      else this.entry(fidOfNode({ kind: 'feed', id: feed.id }), reply);
    });
  }

  #lookupFid(name: FileName, reply: EntryReply): void {
    const fid = parseFid(name);
    if (fid === undefined || isControlFid(fid)) return reply.error(Errno.ENOENT);
    if (fid === ROOT_FID) return this.entry(fidOfNode({ kind: 'root-link' }), reply);
    const { mds, files, replica } = this.#context;
    mds.call('getattr', { fid }, (errno, attributes) => {
      if (attributes === undefined || attributes.nlink === 0) {
        return reply.error(errno === 0 || errno === Errno.ESTALE ? Errno.ENOENT : errno);
      }
      replica.named(fid);
      reply.entry(uncached(fid, toAttr(files.exact(attributes))));
    });
  }

  entry(fid: Fid, reply: EntryReply): void {
    this.attr(fid, (attr) => reply.entry(uncached(fid, attr)), reply);
  }

  attr(fid: Fid, done: (attr: Attr) => void, reply: Reply): void {
    const node = nodeOfFid(fid);
    if (node === undefined) return reply.error(Errno.ENOENT);
    const { owner, mds, userWatch } = this.#context;
    const give = ({ size, blocks, mtime }: Variable): void => {
      const mode = modeOfNode(node, userWatch);
      const times = { atime: mtime, mtime, ctime: mtime };
      // Of a directory: nobody counts what is below it (as on btrfs).
      const nlink = 1;
      done({ ino: fid, size, blocks, ...times, mode, nlink, ...owner, rdev: 0, blksize: 4_096 });
    };
    switch (node.kind) {
      case 'stream':
        return mds.call('feedStatus', { id: node.id, view: node.view }, (errno, status) => {
          if (status === undefined) return reply.error(withoutFeed(errno));
          const blocks = Math.ceil(status.owed / 512);
          give({ size: status.size, blocks, mtime: status.mtime });
        });
      case 'feed':
        return mds.call('feedStatus', { id: node.id, view: 'stream' }, (errno, status) => {
          if (status === undefined) return reply.error(withoutFeed(errno));
          give({ ...NOTHING, mtime: status.created });
        });
      case 'info':
        return this.#textAttr(node.id, 'info', give, reply);
      case 'setting':
        return this.#textAttr(node.id, node.file, give, reply);
      default:
        return give(node.kind === 'root-link' ? { ...NOTHING, size: 5 } : NOTHING);
    }
  }

  #textAttr(id: number, file: FeedText, give: (variable: Variable) => void, reply: Reply): void {
    this.#context.mds.call('feedText', { id, file }, (errno, text) => {
      if (text === undefined) return reply.error(withoutFeed(errno));
      give({ ...NOTHING, size: Buffer.byteLength(text) });
    });
  }

  list(fid: Fid, offset: number, add: AddEntry, end: () => void): void {
    const node = nodeOfFid(fid);
    const entries: (readonly [Fid, string])[] = [
      [fid, '.'],
      [node?.kind === 'top' ? ROOT_FID : fidOfNode({ kind: 'top' }), '..'],
    ];
    for (const [name, child] of node === undefined ? [] : fixedEntries(node)) {
      entries.push([fidOfNode(child), name]);
    }
    const listed = (): void => this.#add(node, entries, offset, add, end);
    if (node?.kind !== 'feeds') return listed();
    this.#context.mds.call('feedList', undefined, (_errno, feeds) => {
      for (const { id, name } of feeds ?? []) entries.push([fidOfNode({ kind: 'feed', id }), name]);
      listed();
    });
  }

  #add(
    node: ControlNode | undefined,
    entries: readonly (readonly [Fid, string])[],
    offset: number,
    add: AddEntry,
    end: () => void,
  ): void {
    // A feed's place in the listing is its id, so that it stays while others come and go.
    for (const [i, [child, name]] of entries.entries()) {
      const cookie =
        node?.kind === 'feeds' && i >= DOT_DOT_COOKIE ? cookieOfFeed(child) : i + DOT_COOKIE;
      if (cookie <= offset) continue;
      const directory =
        i < DOT_DOT_COOKIE || isDirectory(modeOfNode(nodeOfFid(child) ?? { kind: 'top' }, false));
      if (!add(child, cookie, directory, name)) break;
    }
    end();
  }
}

function cookieOfFeed(fid: Fid): number {
  const node = nodeOfFid(fid);
  return DOT_DOT_COOKIE + (node?.kind === 'feed' ? node.id : 0);
}

/** Control entries come and go without the kernel's help: it asks each time. */
function uncached(fid: Fid, attr: Attr): Entry {
  return { nodeId: fid, generation: 0, entryValidMs: 0, attrValidMs: 0, attr };
}
