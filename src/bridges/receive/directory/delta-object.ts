/** One object while the records of a batch are gone through. */
import type { Fid } from '../../../base/fid.js';
import { isRegular } from '../../../base/mode.js';
import type { RecordAttrs } from '../../../feed/record.js';
import type { NamePlace } from '../../../rpc/places.js';
import type { ChangedAttributes, NetContents, NetObject } from './net-object.js';
import { type CopyObject, isSameName } from './state-tree.js';
import type { FileType } from './steps.js';

const PERMISSIONS = 0o7777;

export class TouchedObject implements NetObject {
  readonly fid: Fid;
  readonly type: FileType;
  readonly known: CopyObject | undefined;
  readonly attributes: ChangedAttributes = {};
  readonly xattrs = new Map<string, Uint8Array | undefined>();
  readonly target: string;
  readonly rdev: number;
  after: NamePlace[];
  contents: NetContents | undefined;

  constructor(
    fid: Fid,
    type: FileType,
    known: CopyObject | undefined,
    made: { readonly target: string; readonly rdev: number } = { target: '', rdev: 0 },
  ) {
    this.fid = fid;
    this.type = type;
    this.known = known;
    this.target = made.target;
    this.rdev = made.rdev;
    this.after = (known?.names ?? []).map(({ parent, name }) => ({ parent, name }));
  }

  /** What a record says of its attributes, its size but for contents included. */
  set(attrs: RecordAttrs): void {
    const { attributes } = this;
    if (attrs.mode !== undefined) attributes.mode = attrs.mode & PERMISSIONS;
    if (attrs.uid !== undefined) attributes.uid = attrs.uid;
    if (attrs.gid !== undefined) attributes.gid = attrs.gid;
    if (attrs.atime !== undefined) attributes.atime = attrs.atime;
    if (attrs.mtime !== undefined) attributes.mtime = attrs.mtime;
    if (attrs.ctime !== undefined) attributes.ctime = attrs.ctime;
  }

  /** A setattr or create: what is beyond the size is no more. */
  resize(size: number | undefined): void {
    if (size === undefined || !isRegular(this.type)) return;
    const { cut = size, written = false } = this.contents ?? {};
    this.contents = { cut: Math.min(cut, size), size, written };
  }

  /** A write: the file has this size now, and parts of its contents come along. */
  write(size: number | undefined, hasExtents: boolean): void {
    const { cut, size: before = 0, written = false } = this.contents ?? {};
    this.contents = { cut, size: size ?? before, written: written || hasExtents };
  }

  gain(place: NamePlace): void {
    this.after.push(place);
  }

  lose(place: NamePlace): void {
    this.after = this.after.filter((name) => !isSameName(name, place));
  }
}
