/**
 * A filesystem that keeps everything in memory: the ceiling that the session
 * sets for metadata rates, and the session's proof on a real mount
 * (memfs-mount.ts mounts it).
 */
import { Errno, FsError } from '../../src/base/errno.js';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../../src/base/mode.js';
import type { FileName } from '../../src/base/name.js';
import { SystemClock } from '../../src/base/time.js';
import type * as api from '../../src/fuse/api.js';
import { FOPEN_DIRECT_IO, FOPEN_NOFLUSH, FUSE_ROOT_ID } from '../../src/fuse/index.js';
import { attrOf, entryOf, NO_DATA, type Node, resize, VALID_MS } from './memfs-node.js';

export class MemoryFilesystem implements api.Handlers {
  readonly #clock = new SystemClock();
  readonly #nodes = new Map<number, Node>();
  /** Listings, frozen at opendir, so that cookies stay valid while entries come and go. */
  readonly #listings = new Map<number, readonly (readonly [FileName, Node])[]>();
  readonly #openFlags: number;
  #nextIno = FUSE_ROOT_ID;
  #nextFh = 1;

  constructor(directIo: boolean) {
    this.#openFlags = FOPEN_NOFLUSH | (directIo ? FOPEN_DIRECT_IO : 0);
    this.#make(S_IFDIR | 0o777, { uid: 0, gid: 0, pid: 0 });
  }

  lookup({ nodeId, name }: api.LookupRequest, reply: api.EntryReply): void {
    const node = this.#node(nodeId).entries.get(name);
    // Not thrown: each create asks for a name that is not there, and a stack trace takes 4 us.
    if (node === undefined) reply.error(Errno.ENOENT);
    else reply.entry(entryOf(node));
  }

  getattr({ nodeId }: api.GetattrRequest, reply: api.AttrReply): void {
    reply.attr(attrOf(this.#node(nodeId)), VALID_MS);
  }

  setattr(request: api.SetattrRequest, reply: api.AttrReply): void {
    const node = this.#node(request.nodeId);
    const now = this.#clock.now();
    if (request.mode !== undefined) node.mode = (node.mode & S_IFMT) | (request.mode & 0o7777);
    if (request.uid !== undefined) node.uid = request.uid;
    if (request.gid !== undefined) node.gid = request.gid;
    if (request.size !== undefined) {
      resize(node, request.size);
      node.mtime = now;
    }
    if (request.atime !== undefined) node.atime = request.atime === 'now' ? now : request.atime;
    if (request.mtime !== undefined) node.mtime = request.mtime === 'now' ? now : request.mtime;
    node.ctime = now;
    reply.attr(attrOf(node), VALID_MS);
  }

  mkdir(request: api.MkdirRequest, reply: api.EntryReply): void {
    const node = this.#add(request.nodeId, request.name, S_IFDIR | request.mode, request.caller);
    this.#node(request.nodeId).nlink++;
    reply.entry(entryOf(node));
  }

  mknod(request: api.MknodRequest, reply: api.EntryReply): void {
    const node = this.#add(request.nodeId, request.name, request.mode, request.caller);
    node.rdev = request.rdev;
    reply.entry(entryOf(node));
  }

  symlink({ nodeId, name, target, caller }: api.SymlinkRequest, reply: api.EntryReply): void {
    const node = this.#add(nodeId, name, S_IFLNK | 0o777, caller);
    node.data = Buffer.from(target, 'latin1');
    node.size = node.data.length;
    reply.entry(entryOf(node));
  }

  readlink({ nodeId }: api.ReadlinkRequest, reply: api.DataReply): void {
    reply.data(this.#node(nodeId).data);
  }

  link({ nodeId, oldNodeId, name }: api.LinkRequest, reply: api.EntryReply): void {
    const node = this.#node(oldNodeId);
    this.#enter(nodeId, name, node);
    node.nlink++;
    reply.entry(entryOf(node));
  }

  unlink({ nodeId, name }: api.UnlinkRequest, reply: api.EmptyReply): void {
    const node = this.#child(nodeId, name);
    this.#remove(nodeId, name);
    node.nlink--;
    reply.ok();
  }

  rmdir({ nodeId, name }: api.RmdirRequest, reply: api.EmptyReply): void {
    const node = this.#child(nodeId, name);
    if (node.entries.size > 0) throw new FsError(Errno.ENOTEMPTY, 'rmdir');
    this.#remove(nodeId, name);
    node.nlink = 0;
    this.#node(nodeId).nlink--;
    reply.ok();
  }

  rename(request: api.RenameRequest, reply: api.EmptyReply): void {
    if (request.flags !== 0) throw new FsError(Errno.EINVAL, 'renameat2 flags');
    const node = this.#child(request.nodeId, request.name);
    const replaced = this.#node(request.newParent).entries.get(request.newName);
    if (replaced !== undefined && replaced.entries.size > 0) {
      throw new FsError(Errno.ENOTEMPTY, 'rename');
    }
    if (replaced !== undefined) replaced.nlink--;
    this.#remove(request.nodeId, request.name);
    const target = this.#node(request.newParent);
    target.entries.set(request.newName, node);
    if ((node.mode & S_IFMT) === S_IFDIR) {
      this.#node(request.nodeId).nlink--;
      target.nlink++;
    }
    target.mtime = target.ctime = node.ctime = this.#clock.now();
    reply.ok();
  }

  create(request: api.CreateRequest, reply: api.CreateReply): void {
    const { nodeId, name, mode, caller } = request;
    const node = this.#add(nodeId, name, S_IFREG | (mode & 0o7777), caller);
    reply.created(entryOf(node), { fh: this.#nextFh++, flags: this.#openFlags });
  }

  open({ nodeId, flags }: api.OpenRequest, reply: api.OpenReply): void {
    const O_TRUNC = 0o1000;
    if (flags & O_TRUNC) resize(this.#node(nodeId), 0);
    reply.open({ fh: this.#nextFh++, flags: this.#openFlags });
  }

  read({ nodeId, offset, size }: api.ReadRequest, reply: api.InterruptibleDataReply): void {
    const node = this.#node(nodeId);
    reply.data(node.data.subarray(offset, Math.min(node.size, offset + size)));
  }

  write({ nodeId, offset, data }: api.WriteRequest, reply: api.WriteReply): void {
    const node = this.#node(nodeId);
    if (offset + data.length > node.size) resize(node, offset + data.length);
    node.data.set(data, offset);
    node.mtime = node.ctime = this.#clock.now();
    reply.written(data.length);
  }

  release(_request: api.ReleaseRequest, reply: api.EmptyReply): void {
    reply.ok();
  }

  fsync(_request: api.FsyncRequest, reply: api.EmptyReply): void {
    reply.ok();
  }

  opendir({ nodeId }: api.OpenRequest, reply: api.OpenReply): void {
    const fh = this.#nextFh++;
    this.#listings.set(fh, [...this.#node(nodeId).entries]);
    reply.open({ fh, flags: 0 });
  }

  readdir({ fh, offset }: api.ReaddirRequest, reply: api.DirectoryReply): void {
    const listing = this.#listings.get(fh) ?? [];
    for (let i = offset; i < listing.length; i++) {
      const [name, node] = listing[i] ?? [];
      if (name === undefined || node === undefined) break;
      if (!reply.add(node.ino, i + 1, node.mode >>> 12, name)) break;
    }
    reply.end();
  }

  readdirplus({ fh, offset }: api.ReaddirRequest, reply: api.DirectoryPlusReply): void {
    const listing = this.#listings.get(fh) ?? [];
    for (let i = offset; i < listing.length; i++) {
      const [name, node] = listing[i] ?? [];
      if (name === undefined || node === undefined) break;
      if (!reply.add(entryOf(node), i + 1, name)) break;
    }
    reply.end();
  }

  releasedir({ fh }: api.ReleaseRequest, reply: api.EmptyReply): void {
    this.#listings.delete(fh);
    reply.ok();
  }

  statfs(_request: api.StatfsRequest, reply: api.StatfsReply): void {
    const free = 2 ** 20;
    reply.statfs({
      blocks: free,
      bfree: free,
      bavail: free,
      files: this.#nodes.size,
      ffree: free,
      bsize: 4096,
      namelen: 255,
      frsize: 4096,
    });
  }

  /** Nodes without a name live until the kernel forgets them. */
  forget(items: readonly api.ForgetItem[]): void {
    for (const { nodeId } of items) {
      if (this.#nodes.get(nodeId)?.nlink === 0) this.#nodes.delete(nodeId);
    }
  }

  #node(nodeId: number): Node {
    const node = this.#nodes.get(nodeId);
    if (node === undefined) throw new FsError(Errno.ESTALE, 'nodeid');
    return node;
  }

  #child(parent: number, name: FileName): Node {
    const node = this.#node(parent).entries.get(name);
    if (node === undefined) throw new FsError(Errno.ENOENT, 'name');
    return node;
  }

  #make(mode: number, { uid, gid }: api.Caller): Node {
    const now = this.#clock.now();
    const node: Node = {
      ino: this.#nextIno++,
      mode,
      nlink: (mode & S_IFMT) === S_IFDIR ? 2 : 1,
      uid,
      gid,
      rdev: 0,
      atime: now,
      mtime: now,
      ctime: now,
      data: NO_DATA,
      size: 0,
      entries: new Map(),
    };
    this.#nodes.set(node.ino, node);
    return node;
  }

  #add(parent: number, name: FileName, mode: number, caller: api.Caller): Node {
    const node = this.#make(mode, caller);
    this.#enter(parent, name, node);
    return node;
  }

  #enter(parent: number, name: FileName, node: Node): void {
    const directory = this.#node(parent);
    if (directory.entries.has(name)) throw new FsError(Errno.EEXIST, 'name');
    directory.entries.set(name, node);
    directory.mtime = directory.ctime = this.#clock.now();
  }

  #remove(parent: number, name: FileName): void {
    const directory = this.#node(parent);
    directory.entries.delete(name);
    directory.mtime = directory.ctime = this.#clock.now();
  }
}
