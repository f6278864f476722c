/** A directory tree as it is on a real filesystem, in the form of a model. */
import * as fs from 'node:fs';
import { S_IFMT } from '../../../../src/base/mode.js';
import type { Timespec } from '../../../../src/base/time.js';
import { lgetxattr, llistxattr } from '../../../support/libc.js';
import type { ModelInode } from './model-disk.js';

const NS = 1_000_000_000n;

export function readTree(path: string): ModelInode {
  const known = new Map<bigint, ModelInode>();
  const read = (at: string): ModelInode => {
    const stat = fs.lstatSync(at, { bigint: true });
    const before = known.get(stat.ino);
    if (before !== undefined) return before;
    const mode = Number(stat.mode);
    const bytes = Buffer.from(at);
    const xattrs = llistxattr(bytes).map(
      (name) => [name.toString(), lgetxattr(bytes, name).toString('hex')] as const,
    );
    const inode: ModelInode = {
      ino: Number(stat.ino),
      type: mode & S_IFMT,
      mode: mode & 0o7777,
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      atime: timeOf(stat.atimeNs),
      mtime: timeOf(stat.mtimeNs),
      rdev: Number(stat.rdev),
      target: stat.isSymbolicLink() ? fs.readlinkSync(at) : '',
      contents: stat.isFile() ? fs.readFileSync(at) : Buffer.alloc(0),
      links: Number(stat.nlink),
      xattrs: new Map(xattrs),
      entries: new Map(),
    };
    known.set(stat.ino, inode);
    if (stat.isDirectory()) {
      for (const name of fs.readdirSync(at)) inode.entries.set(name, read(`${at}/${name}`));
    }
    return inode;
  };
  return read(path);
}

function timeOf(ns: bigint): Timespec {
  const sec = ns >= 0n ? ns / NS : -((-ns + NS - 1n) / NS);
  return { sec: Number(sec), nsec: Number(ns - sec * NS) };
}
