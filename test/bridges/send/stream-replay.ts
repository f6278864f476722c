/** What a stream says a filesystem is: built from its frames in memory, and compared with the real one. */
import * as fs from 'node:fs';
import type { Fid } from '../../../src/base/fid.js';
import { ROOT_FID } from '../../../src/base/fid.js';
import type { Frame } from '../../../src/bridges/stream/frame.js';
import { decodeRecord } from '../../../src/feed/record-codec.js';
import type { BaselineEntry, BaselineObject } from '../../../src/rpc/baseline.js';
import { baselineEntries } from '../../../src/rpc/baseline-entry.js';
import { lgetxattr, llistxattr } from '../../support/libc.js';
import { type ModelNode, Replayer } from '../../support/replayer.js';
import { parseAll } from '../stream/stream-fixture.js';

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

export class StreamReplay {
  #replayer: Replayer | undefined;
  readonly #contents = new Map<Fid, Buffer>();

  /** A whole stream, which goes on where the one before it ended. Throws what is wrong with it. */
  apply(stream: Buffer): void {
    const { received, error } = parseAll(stream);
    if (error !== undefined) throw error;
    for (const { frame } of received) this.#frame(frame);
  }

  /** Path to what is there, of the copy. */
  tree(): Map<string, unknown> {
    const flat = new Map<string, unknown>();
    const visit = (fid: Fid, path: string): void => {
      const node = this.#nodes().node(fid);
      const { mode, uid, gid, nlink, rdev, mtime, size } = node.attrs;
      const isFile = (mode & S_IFMT) === S_IFREG;
      flat.set(path, {
        fid,
        ...{ mode, uid, gid, nlink, rdev, target: node.target },
        mtime: `${mtime.sec}.${mtime.nsec}`,
        xattrs: [...node.xattrs].sort(),
        contents: isFile ? this.#fileOf(fid, size).toString('hex') : '',
      });
      for (const [name, child] of [...node.entries].sort()) visit(child, `${path}/${name}`);
    };
    visit(ROOT_FID, '');
    return flat;
  }

  #frame(frame: Frame): void {
    if (frame.kind === 'entries') {
      for (const entry of baselineEntries(frame.bytes)) this.#entry(entry);
    } else if (frame.kind === 'records') {
      for (let at = 0; at < frame.bytes.length; ) {
        const { record, size } = decodeRecord(frame.bytes, at);
        this.#nodes().apply(record);
        if (record.op === 'setattr' || record.op === 'write') {
          if (record.attrs.size !== undefined) this.#resize(record.fid, record.attrs.size);
        }
        at += size;
      }
    } else if (frame.kind === 'data') this.#put(frame.fid, frame.offset, frame.bytes);
    else if (frame.kind === 'hole') {
      this.#put(frame.fid, frame.offset, new Uint8Array(frame.length));
    }
  }

  #entry(entry: BaselineEntry): void {
    if (entry.kind === 'object') {
      this.#object(entry);
    } else if (entry.kind === 'xattr') {
      const value = Buffer.from(entry.value).toString('hex');
      this.#nodes().node(entry.fid).xattrs.set(entry.name, value);
    } else if (entry.kind === 'name') {
      this.#nodes().node(entry.parent).entries.set(entry.name, entry.fid);
    }
  }

  #object({ fid, parent, name, attributes, target, contents }: BaselineObject): void {
    const node: ModelNode = {
      attrs: { ...attributes },
      target,
      xattrs: new Map(),
      entries: new Map(),
    };
    if (parent === 0) this.#replayer = new Replayer(node);
    else {
      this.#nodes().nodes.set(fid, node);
      this.#nodes().node(parent).entries.set(name, fid);
    }
    if (contents instanceof Uint8Array) this.#put(fid, 0, contents);
  }

  #nodes(): Replayer {
    if (this.#replayer === undefined) throw new Error('no baseline came');
    return this.#replayer;
  }

  #put(fid: Fid, offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length;
    const known = this.#contents.get(fid) ?? Buffer.alloc(0);
    const file =
      known.length >= end ? known : Buffer.concat([known, Buffer.alloc(end - known.length)]);
    file.set(bytes, offset);
    this.#contents.set(fid, file);
  }

  #resize(fid: Fid, size: number): void {
    this.#contents.set(fid, Buffer.from(this.#fileOf(fid, size)));
  }

  #fileOf(fid: Fid, size: number): Buffer {
    const known = this.#contents.get(fid) ?? Buffer.alloc(0);
    if (known.length >= size) return known.subarray(0, size);
    return Buffer.concat([known, Buffer.alloc(size - known.length)]);
  }
}

/** The same of a mounted filesystem. */
export function treeOf(mnt: string): Map<string, unknown> {
  const flat = new Map<string, unknown>();
  const visit = (path: string): void => {
    const bytes = Buffer.from(`${mnt}${path}`, 'latin1');
    const stat = fs.lstatSync(bytes, { bigint: true });
    flat.set(path, {
      fid: Number(stat.ino),
      mode: Number(stat.mode),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      nlink: Number(stat.nlink),
      rdev: Number(stat.rdev),
      target: stat.isSymbolicLink() ? fs.readlinkSync(bytes, 'latin1') : '',
      mtime: `${stat.mtimeNs / 1_000_000_000n}.${stat.mtimeNs % 1_000_000_000n}`,
      xattrs: llistxattr(bytes)
        .map((name) => [name.toString('latin1'), lgetxattr(bytes, name).toString('hex')])
        .sort(),
      contents: stat.isFile() ? fs.readFileSync(bytes, 'hex') : '',
    });
    if (!stat.isDirectory()) return;
    const names = fs
      .readdirSync(bytes, { encoding: 'buffer' })
      .map((name) => name.toString('latin1'));
    for (const name of names.sort()) visit(`${path}/${name}`);
  };
  visit('');
  return flat;
}
