/** What a batch of records comes to for one object. */
import type { Fid } from '../../../base/fid.js';
import type { NamePlace } from '../../../rpc/places.js';
import type { CopyObject } from './state-tree.js';
import type { FileType, StepAttributes } from './steps.js';

export type ChangedAttributes = { -readonly [Key in keyof StepAttributes]: StepAttributes[Key] };

export interface NetContents {
  /** The smallest size in between: what was beyond is zeroes, whatever it was. Undefined: it never shrank. */
  readonly cut: number | undefined;
  readonly size: number;
  /** Records told of data; else only of sizes. */
  readonly written: boolean;
}

export interface NetObject {
  readonly fid: Fid;
  readonly type: FileType;
  /** As the copy has it before the batch; undefined: the batch makes it. */
  readonly known: CopyObject | undefined;
  /** Its names after the batch; none: it goes. */
  readonly after: readonly NamePlace[];
  readonly attributes: StepAttributes;
  /** Undefined: it goes. Of a new object these are all. */
  readonly xattrs: ReadonlyMap<string, Uint8Array | undefined>;
  /** Of a symlink. */
  readonly target: string;
  readonly rdev: number;
  readonly contents: NetContents | undefined;
  /** Permission bits that it has before the batch, whatever steps take on the way. */
  readonly modeBefore?: number | undefined;
}

/** Every object that a batch changes, in the order in which the records name them first. */
export type NetEffect = ReadonlyMap<Fid, NetObject>;

export function isNew({ known }: NetObject): boolean {
  return known === undefined;
}

export function isGoing({ after }: NetObject): boolean {
  return after.length === 0;
}

/** Nothing of it can be at the target: it is in the books only. */
export function isInBooksOnly({ known }: NetObject): boolean {
  return known?.inode === 0;
}
