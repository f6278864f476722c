/** What comparing two trees brings to light, one thing at a time. Names are binary strings. */

export type Side = 'a' | 'b';

/**
 * What can differ. `name`: the object is in one tree only. `link`: what other name of the
 * tree, if any, belongs to the same object.
 */
export type Property =
  | 'name'
  | 'type'
  | 'mode'
  | 'uid'
  | 'gid'
  | 'size'
  | 'mtime'
  | 'rdev'
  | 'target'
  | 'link'
  | 'xattr'
  | 'contents';

/**
 * Undefined: there is none. `name` and `type`: a word; `mode`: permission bits; `mtime`:
 * nanoseconds since the epoch; `target` and `link`: a binary string; `xattr`: the value.
 */
export type Value = bigint | string | Uint8Array | undefined;

export interface Difference {
  readonly kind: 'difference';
  /** Below the roots; `.` is the roots themselves. */
  readonly path: string;
  readonly property: Property;
  /** The attribute's name, of an xattr. */
  readonly xattr?: string;
  /** First byte that differs, of contents. */
  readonly offset?: number;
  readonly a: Value;
  readonly b: Value;
}

/** Something could not be compared: the comparison says nothing of it. */
export interface Trouble {
  readonly kind: 'trouble';
  readonly path: string;
  /** Undefined if it is not one side's alone. */
  readonly side: Side | undefined;
  readonly message: string;
}

/** Another filesystem is mounted there. What is to be seen is compared. */
export interface MountNote {
  readonly kind: 'mount';
  readonly path: string;
  readonly side: Side;
}

export type Finding = Difference | Trouble | MountNote;
