/** Random changes to a source filesystem in memory. */

import type { Fid } from '../../../../src/base/fid.js';
import {
  isDirectory,
  isRegular,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from '../../../../src/base/mode.js';
import type { RecordAttrs } from '../../../../src/feed/record.js';
import type { Random } from '../../../support/random.js';
import { isAbove, links, NAMES, type SourceObject, SourceTree, where } from './source-tree.js';

export type { SourceObject } from './source-tree.js';

const XATTRS = ['user.x', 'user.y'];
const CAPABILITY = 'security.capability';

export class SourceModel extends SourceTree {
  readonly #kinds: 'all' | 'names';

  /** `kinds`: `names` is of little but names, and of files that have several. */
  constructor(random: Random, kinds: 'all' | 'names' = 'all') {
    super(random);
    this.#kinds = kinds;
  }

  /** Changes something, or nothing if it cannot. */
  step(): void {
    this.random.pick(this.#kinds === 'all' ? this.#all() : this.#aboutNames())?.();
  }

  #aboutNames(): (() => void)[] {
    return [
      () => this.#create(),
      () => this.#mkdir(),
      ...Array<() => void>(4).fill(() => this.#link()),
      () => this.#unlink(),
      () => this.#rmdir(),
      ...Array<() => void>(3).fill(() => this.#rename()),
      () => this.#exchange(),
    ];
  }

  #all(): (() => void)[] {
    return [
      () => this.#create(),
      () => this.#create(),
      () => this.#mkdir(),
      () => this.#mkdir(),
      () => this.#special(),
      () => this.#link(),
      () => this.#unlink(),
      () => this.#rmdir(),
      () => this.#rename(),
      () => this.#rename(),
      () => this.#rename(),
      () => this.#exchange(),
      () => this.#setattr(),
      () => this.#truncate(),
      () => this.#write(),
      () => this.#write(),
      () => this.#xattr(),
      () => this.#tmpfile(),
    ];
  }

  #create(): void {
    const at = this.freePlace();
    if (at === undefined) return;
    const object = this.object(this.fid(), S_IFREG | this.mode(), '');
    this.enter(object, at);
    this.record(object.fid, { op: 'create', ...where(at), attrs: this.attrs(object) });
    if (this.random.chance(50)) this.#writeTo(object);
  }

  /** A file without a name that gets one: it may have a size and contents from the start. */
  #tmpfile(): void {
    const at = this.freePlace();
    if (at === undefined) return;
    const object = this.object(this.fid(), S_IFREG | this.mode(), '');
    object.contents = Buffer.from(`tmp ${object.fid}`);
    this.enter(object, at);
    this.record(object.fid, { op: 'create', ...where(at), attrs: this.attrs(object) });
    this.#recordWrite(object, [{ offset: 0, length: object.contents.length }]);
  }

  #mkdir(): void {
    const at = this.freePlace();
    if (at === undefined) return;
    const object = this.object(this.fid(), S_IFDIR | this.mode(), '');
    this.enter(object, at);
    this.record(object.fid, { op: 'mkdir', ...where(at), attrs: this.attrs(object) });
  }

  #special(): void {
    const at = this.freePlace();
    if (at === undefined) return;
    const type = this.random.pick([S_IFCHR, S_IFIFO, S_IFLNK]) ?? S_IFIFO;
    const isLink = type === S_IFLNK;
    const target = isLink ? `to-${this.nextFid}` : '';
    const object = this.object(this.fid(), type | (isLink ? 0o777 : this.mode()), target);
    if (type === S_IFCHR) object.rdev = 259;
    this.enter(object, at);
    const attrs = this.attrs(object);
    if (isLink) this.record(object.fid, { op: 'symlink', ...where(at), attrs, target });
    else this.record(object.fid, { op: 'mknod', ...where(at), attrs });
  }

  #link(): void {
    const at = this.freePlace();
    const object = this.pick((one) => !isDirectory(one.mode));
    if (at === undefined || object === undefined) return;
    this.enter(object, at);
    object.ctime = this.now();
    const { ctime } = object;
    this.record(object.fid, { op: 'link', ...where(at), attrs: { nlink: links(object), ctime } });
  }

  #unlink(): void {
    const object = this.pick((one) => !isDirectory(one.mode));
    const at = object && this.random.pick(object.names);
    if (object === undefined || at === undefined) return;
    this.leave(object, at);
    const last = this.lost(object);
    this.record(object.fid, { op: 'unlink', ...where(at), attrs: this.attrs(object), last });
  }

  #rmdir(): void {
    const object = this.pick((one) => isDirectory(one.mode) && one.entries.size === 0);
    const at = object?.names[0];
    if (object === undefined || at === undefined) return;
    this.leave(object, at);
    this.lost(object);
    const attrs = this.attrs(object);
    this.record(object.fid, { op: 'rmdir', ...where(at), attrs, last: true });
  }

  #rename(): void {
    const object = this.pick((one) => one !== this.root);
    const from = object && this.random.pick(object.names);
    const parent = this.pick(({ mode }) => isDirectory(mode)) ?? this.root;
    const name = this.random.pick(NAMES) ?? 'a';
    if (object === undefined || from === undefined || isAbove(object, parent)) return;
    const victim = parent.entries.get(name);
    if (victim === object) return;
    if (victim !== undefined) {
      if (isDirectory(victim.mode) !== isDirectory(object.mode) || victim.entries.size > 0) return;
      if (isAbove(victim, from.parent)) return;
    }
    const to = { parent, name };
    this.leave(object, from);
    let over: { fid: Fid; attrs: RecordAttrs; last: boolean } | undefined;
    if (victim !== undefined) {
      this.leave(victim, to);
      const last = this.lost(victim);
      over = { fid: victim.fid, attrs: this.attrs(victim), last };
    }
    this.enter(object, to);
    object.ctime = this.now();
    this.record(object.fid, {
      op: 'rename',
      ...where(from),
      newParent: parent.fid,
      newName: name,
      attrs: { ctime: object.ctime },
      ...(over === undefined ? {} : { over }),
    });
  }

  #exchange(): void {
    const a = this.pick((one) => one !== this.root);
    const b = this.pick((one) => one !== this.root && one !== a);
    const [from, to] = [a && this.random.pick(a.names), b && this.random.pick(b.names)];
    if (a === undefined || b === undefined || from === undefined || to === undefined) return;
    if (isAbove(a, to.parent) || isAbove(b, from.parent)) return;
    this.leave(a, from);
    this.leave(b, to);
    this.enter(a, to);
    this.enter(b, from);
    a.ctime = b.ctime = this.now();
    this.record(a.fid, {
      op: 'rename',
      ...where(from),
      newParent: to.parent.fid,
      newName: to.name,
      attrs: { ctime: a.ctime },
      exchanged: b.fid,
    });
  }

  #setattr(): void {
    const object = this.pick(() => true);
    if (object === undefined) return;
    const attrs: Record<string, unknown> = {};
    if ((object.mode & S_IFMT) !== S_IFLNK && this.random.chance(50)) {
      object.mode = (object.mode & S_IFMT) | this.mode();
      attrs.mode = object.mode;
    }
    if (this.random.chance(30)) attrs.uid = object.uid = 1 + this.random.below(4);
    if (this.random.chance(30)) attrs.gid = object.gid = 1 + this.random.below(4);
    if (this.random.chance(30)) attrs.mtime = object.mtime = { sec: -5, nsec: 7 };
    if (this.random.chance(30)) attrs.atime = object.atime = { sec: 5, nsec: 9 };
    attrs.ctime = object.ctime = this.now();
    this.record(object.fid, { op: 'setattr', attrs: attrs as RecordAttrs });
  }

  #truncate(): void {
    const file = this.pick(({ mode }) => isRegular(mode));
    if (file === undefined) return;
    const size = this.random.below(60);
    const contents = Buffer.alloc(size);
    file.contents.copy(contents);
    file.contents = contents;
    file.mtime = file.ctime = this.now();
    const { mtime, ctime } = file;
    this.record(file.fid, { op: 'setattr', attrs: { size, mtime, ctime } });
  }

  #write(): void {
    const file = this.pick(({ mode }) => isRegular(mode));
    if (file !== undefined) this.#writeTo(file);
  }

  #writeTo(file: SourceObject): void {
    const extents: { offset: number; length: number }[] = [];
    for (let offset = this.random.below(20); offset < 60 && extents.length < 3; ) {
      const length = 1 + this.random.below(15);
      extents.push({ offset, length });
      offset += length + 1 + this.random.below(20);
    }
    for (const { offset, length } of extents) {
      const contents = Buffer.alloc(Math.max(file.contents.length, offset + length));
      file.contents.copy(contents);
      contents.fill(this.random.below(256), offset, offset + length);
      file.contents = contents;
    }
    this.#recordWrite(file, extents);
  }

  #recordWrite(file: SourceObject, extents: { offset: number; length: number }[]): void {
    file.mtime = file.ctime = this.now();
    const { mtime, ctime } = file;
    // Writing takes the set-id bits, unless it is root who writes.
    const mode = this.random.chance(50) ? file.mode : file.mode & ~0o6000;
    const attrs = {
      size: file.contents.length,
      mtime,
      ctime,
      ...(mode === file.mode ? {} : { mode }),
    };
    file.mode = mode;
    this.record(file.fid, { op: 'write', extents, attrs });
  }

  #xattr(): void {
    // Elsewhere not every filesystem has any.
    const object = this.pick(({ mode }) => isRegular(mode) || isDirectory(mode));
    if (object === undefined) return;
    const name = this.random.pick(isRegular(object.mode) ? [...XATTRS, CAPABILITY] : XATTRS);
    if (name === undefined) return;
    object.ctime = this.now();
    const attrs = { ctime: object.ctime };
    if (object.xattrs.delete(name)) {
      this.record(object.fid, { op: 'removexattr', xattr: { name }, attrs });
      return;
    }
    const value = name === CAPABILITY ? capability(this.index % 100) : Buffer.from(`${this.index}`);
    object.xattrs.set(name, value.toString());
    this.record(object.fid, { op: 'setxattr', xattr: { name, value, flags: 0 }, attrs });
  }
}

/** struct vfs_cap_data of revision 2 (linux/capability.h). */
function capability(permitted: number): Buffer {
  const value = Buffer.alloc(20);
  value.writeUInt32LE(0x0200_0000, 0);
  value.writeUInt32LE(permitted, 4);
  return value;
}
