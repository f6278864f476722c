/** A line of `stream.ndjson` as FORMAT.md describes it, for tests that must not rely on the code in src. */

/** A byte string in JSON. */
export type Bytes = string | { readonly base64: string };

export interface Attrs {
  readonly mode?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: string;
  readonly nlink?: number;
  readonly rdev?: number;
  readonly atime?: string;
  readonly mtime?: string;
}

/** A line as FORMAT.md describes it; what does not apply to its operation is absent. */
export interface Line {
  readonly index: string;
  readonly time: string;
  readonly op: string;
  readonly fid: string;
  readonly parent: string;
  readonly name: Bytes;
  readonly newParent: string;
  readonly newName: Bytes;
  readonly attrs: Attrs;
  readonly xattr: { readonly name: Bytes; readonly value: string; readonly flags: number };
  readonly extents: ReadonlyArray<{ readonly offset: string; readonly length: string }>;
  readonly target: Bytes;
  readonly last: boolean;
  readonly over?: { readonly fid: string; readonly attrs: Attrs; readonly last: boolean };
  readonly exchanged?: string;
}

/** The bytes of a name, target or value in JSON. */
export function bytesOf(bytes: Bytes): Buffer {
  return typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes.base64, 'base64');
}
