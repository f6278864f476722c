/** A feed's `baseline` in memory: entries, given out in reads of any size. */
import { must } from '../../../src/base/assert.js';
import type { Fid } from '../../../src/base/fid.js';
import type { BaselineFile } from '../../../src/bridges/send/baseline-source.js';
import type { BaselineEntry, BaselineObject, LogPlace } from '../../../src/rpc/baseline.js';
import { encodeBaselineEntry } from '../../../src/rpc/baseline-entry.js';

const TIME = { sec: 1_700_000_000, nsec: 7 };
export const FILESYSTEM = '00112233445566778899aabbccddeeff';

export function headEntry(place: LogPlace, objects: number): BaselineEntry {
  return {
    kind: 'head',
    filesystem: FILESYSTEM,
    feed: { id: 3, name: 'backup' },
    transno: 40,
    place,
    time: TIME,
    objects,
  };
}

export function fileEntry(
  fid: Fid,
  size: number,
  contents: BaselineObject['contents'],
): BaselineEntry {
  return {
    kind: 'object',
    fid,
    parent: 1 as Fid,
    name: `f${fid}`,
    attributes: {
      mode: 0o100644,
      nlink: 1,
      uid: 0,
      gid: 0,
      rdev: 0,
      size,
      atime: TIME,
      mtime: TIME,
      ctime: TIME,
    },
    target: '',
    xattrs: 0,
    contents,
  };
}

export function xattrEntry(fid: Fid, bytes: number): BaselineEntry {
  return { kind: 'xattr', fid, name: 'user.x', value: new Uint8Array(bytes).fill(1) };
}

export function endEntry(objects: number): BaselineEntry {
  return { kind: 'end', objects, names: 0 };
}

export function bytesOf(entries: readonly BaselineEntry[]): Buffer {
  return Buffer.concat(entries.map((entry) => Buffer.from(encodeBaselineEntry(entry))));
}

export class FakeBaseline implements BaselineFile {
  closed = false;
  reads = 0;
  kept = 0;
  readonly #bytes: Buffer;
  readonly #sizes: readonly number[];
  #at = 0;

  /** Reads give so many bytes, one after the other and then again from the first. */
  constructor(bytes: Buffer, sizes: readonly number[] = [Number.POSITIVE_INFINITY]) {
    this.#bytes = bytes;
    this.#sizes = sizes;
  }

  read(into: Buffer): Promise<number> {
    const size = must(this.#sizes[this.reads % this.#sizes.length], 'a size');
    this.reads += 1;
    const count = this.#bytes.copy(
      into,
      0,
      this.#at,
      Math.min(this.#bytes.length, this.#at + size),
    );
    this.#at += count;
    return Promise.resolve(count);
  }

  keep(): Promise<void> {
    this.kept += 1;
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}
