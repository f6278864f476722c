/** A source filesystem in memory, and the records that a feed would have of its changes. */
import { type Fid, ROOT_FID } from '../../../../src/base/fid.js';
import { isDirectory, isRegular, S_IFDIR } from '../../../../src/base/mode.js';
import type { Timespec } from '../../../../src/base/time.js';
import type { WholeObject } from '../../../../src/bridges/receive/target.js';
import type { Contents } from '../../../../src/bridges/stream/frame.js';
import type { ChangeRecord, RecordBody } from '../../../../src/feed/record.js';
import type { BaselineName } from '../../../../src/rpc/baseline.js';
import type { Random } from '../../../support/random.js';

export interface SourceObject {
  readonly fid: Fid;
  mode: number;
  uid: number;
  gid: number;
  rdev: number;
  atime: Timespec;
  mtime: Timespec;
  ctime: Timespec;
  readonly target: string;
  contents: Buffer;
  readonly xattrs: Map<string, string>;
  readonly entries: Map<string, SourceObject>;
  names: Array<{ parent: SourceObject; name: string }>;
}

type Body = RecordBody<ChangeRecord>;

export const NAMES = ['a', 'b', 'c', 'd'];

export class SourceTree {
  readonly root: SourceObject;
  readonly objects = new Map<Fid, SourceObject>();
  readonly records: ChangeRecord[] = [];
  protected readonly random: Random;
  protected nextFid = 200_000;
  #time = 1_000;
  protected index = 1;

  constructor(random: Random) {
    this.random = random;
    const root = this.object(ROOT_FID, S_IFDIR | 0o755, '');
    this.root = root;
  }

  get files(): SourceObject[] {
    return [...this.objects.values()].filter(({ mode }) => isRegular(mode));
  }

  /** Of the files that these records write to, as they are now. */
  contentsFor(records: readonly ChangeRecord[]): Contents[] {
    const parts: Contents[] = [];
    for (const record of records) {
      if (record.op !== 'write') continue;
      const file = this.objects.get(record.fid);
      if (file === undefined) {
        parts.push({ kind: 'gone', fid: record.fid });
        continue;
      }
      for (const { offset, length } of record.extents) {
        const bytes = Buffer.from(file.contents.subarray(offset, offset + length));
        const isHole = bytes.length > 0 && bytes.every((byte) => byte === 0);
        if (isHole) parts.push({ kind: 'hole', fid: file.fid, offset, length: bytes.length });
        else if (bytes.length > 0) parts.push({ kind: 'data', fid: file.fid, offset, bytes });
      }
    }
    return parts;
  }

  /** As a baseline tells it; small contents inside, the others apart. */
  baseline(): { objects: WholeObject[]; contents: Contents[]; names: BaselineName[] } {
    const objects: WholeObject[] = [];
    const contents: Contents[] = [];
    const names: BaselineName[] = [];
    const told = new Set<SourceObject>();
    const visit = (object: SourceObject, parent: Fid | 0, name: string): void => {
      if (told.has(object)) {
        names.push({ kind: 'name', fid: object.fid, parent: parent as Fid, name });
        return;
      }
      told.add(object);
      const inside = this.#inside(object, contents);
      const { fid, target, xattrs } = object;
      const all = [...xattrs].map(
        ([key, value]) => ({ kind: 'xattr', fid, name: key, value: Buffer.from(value) }) as const,
      );
      const attributes = this.attrs(object);
      objects.push({
        object: {
          kind: 'object',
          fid,
          parent,
          name,
          attributes,
          target,
          xattrs: all.length,
          contents: inside,
        },
        xattrs: all,
      });
      for (const [child, below] of object.entries) visit(below, fid, child);
    };
    visit(this.root, 0, '');
    return { objects, contents, names };
  }

  #inside({ fid, mode, contents }: SourceObject, elsewhere: Contents[]) {
    if (!isRegular(mode) || contents.every((byte) => byte === 0)) return undefined;
    if (contents.length <= 16) return Buffer.from(contents);
    for (let at = 0; at < contents.length; at += 20) {
      const bytes = Buffer.from(contents.subarray(at, at + 20));
      elsewhere.push({ kind: 'data', fid, offset: at, bytes });
    }
    return 'elsewhere' as const;
  }

  protected object(fid: Fid, mode: number, target: string): SourceObject {
    const now = this.now();
    const object: SourceObject = {
      fid,
      mode,
      uid: 0,
      gid: 0,
      rdev: 0,
      atime: now,
      mtime: now,
      ctime: now,
      target,
      contents: Buffer.alloc(0),
      xattrs: new Map(),
      entries: new Map(),
      names: [],
    };
    this.objects.set(fid, object);
    return object;
  }

  protected pick(wanted: (object: SourceObject) => boolean): SourceObject | undefined {
    return this.random.pick([...this.objects.values()].filter(wanted));
  }

  protected freePlace(): { parent: SourceObject; name: string } | undefined {
    const parent = this.pick(({ mode }) => isDirectory(mode)) ?? this.root;
    const name = this.random.pick(NAMES) ?? 'a';
    return parent.entries.has(name) ? undefined : { parent, name };
  }

  protected enter(object: SourceObject, at: { parent: SourceObject; name: string }): void {
    at.parent.entries.set(at.name, object);
    object.names.push(at);
    at.parent.mtime = at.parent.ctime = { sec: this.#time, nsec: 0 };
  }

  protected leave(object: SourceObject, at: { parent: SourceObject; name: string }): void {
    at.parent.entries.delete(at.name);
    object.names = object.names.filter((n) => n.parent !== at.parent || n.name !== at.name);
    at.parent.mtime = at.parent.ctime = { sec: this.#time, nsec: 0 };
  }

  protected lost(object: SourceObject): boolean {
    object.ctime = this.now();
    if (object.names.length > 0) return false;
    this.objects.delete(object.fid);
    return true;
  }

  protected fid(): Fid {
    return this.nextFid++ as Fid;
  }

  protected mode(): number {
    return this.random.pick([0o644, 0o755, 0o600, 0o700, 0o751, 0o640, 0o4755]) ?? 0o644;
  }

  protected now(): Timespec {
    return { sec: this.#time, nsec: 0 };
  }

  protected attrs(object: SourceObject) {
    const { mode, uid, gid, rdev, atime, mtime, ctime, contents, target } = object;
    const size = target.length || contents.length;
    return { mode, uid, gid, rdev, size, nlink: links(object), atime, mtime, ctime };
  }

  protected record(fid: Fid, body: Body): void {
    const head = { uid: 0, gid: 0, pid: 1, nid: '0@lo', jobid: '' };
    const numbers = { index: this.index, transno: this.index };
    this.index++;
    const record = { ...numbers, time: this.now(), fid, ...head, ...body };
    this.records.push(record as unknown as ChangeRecord);
    this.#time++;
  }
}

export function links({ names, mode }: SourceObject): number {
  return isDirectory(mode) ? (names.length === 0 ? 0 : 2) : names.length;
}

export function where({ parent, name }: { parent: SourceObject; name: string }) {
  return { parent: parent.fid, name };
}

/** Whether a directory is the object itself or below it. */
export function isAbove(object: SourceObject, directory: SourceObject): boolean {
  let at: SourceObject | undefined = directory;
  while (at !== undefined) {
    if (at === object) return true;
    at = at.names[0]?.parent;
  }
  return false;
}
