/** Inconsistencies that fsck must find: each a change of a whole store, and the kinds of its findings. */
import { must } from '../../src/base/assert.js';
import type { Fid } from '../../src/base/fid.js';
import { BLOCK_HEAD_BYTES, decodeBlockHead, encodeBlock } from '../../src/feed/block.js';
import type { RecordIndex } from '../../src/feed/record.js';
import { decodeInode, encodeInode, type Inode } from '../../src/mds/inode.js';
import {
  cancelKey,
  direntKey,
  feedKey,
  fidKey,
  logKey,
  partsOfLogKey,
  xattrKey,
} from '../../src/store/keys.js';
import type { Store } from '../../src/store/store.js';
import { LINK_CASES } from './fsck-link-cases.js';

type Tables = Store['tables'];

/** FIDs of what the test makes. */
export interface Made {
  readonly folder: Fid;
  readonly inner: Fid;
  readonly small: Fid;
  readonly large: Fid;
  readonly linked: Fid;
}

/** Stores an inode with some of its fields changed. */
function changeInode(tables: Tables, fid: Fid, change: (inode: Inode) => void): void {
  const inode = decodeInode(fid, must(tables.inode.get(fidKey(fid)), 'inode'));
  change(inode);
  tables.inode.put(fidKey(fid), encodeInode(inode));
}

/** The key of a directory's first entry. */
function firstEntry(tables: Tables, directory: Fid): Buffer {
  const start = Buffer.from(direntKey(directory, 0));
  return Buffer.from(must([...tables.dirent.keys({ start, limit: 1 })][0], 'an entry'));
}

/** A key of ours that outlives the next one. */
function kept(key: Buffer): Buffer {
  return Buffer.from(key);
}

export interface Case {
  readonly what: string;
  readonly change: (tables: Tables, made: Made) => void;
  readonly kinds: readonly string[];
}

export const CASES: readonly Case[] = [
  {
    what: 'an inode that is missing',
    change: (tables, { small }) => tables.inode.remove(fidKey(small)),
    kinds: ['dangling-entry', 'inode-count', 'stray-value'],
  },
  {
    what: 'an entry that is missing',
    change: (tables, { inner }) => tables.dirent.remove(firstEntry(tables, inner)),
    kinds: ['entry-count', 'unreachable-inode'],
  },
  {
    what: 'a wrong number of names',
    change: (tables, { linked }) => changeInode(tables, linked, (inode) => inode.nlink++),
    kinds: ['link-count'],
  },
  {
    what: 'a wrong number of subdirectories',
    change: (tables, { folder }) => changeInode(tables, folder, (inode) => inode.nlink++),
    kinds: ['link-count'],
  },
  {
    what: 'a wrong number of entries',
    change: (tables, { folder }) => changeInode(tables, folder, (inode) => inode.entries--),
    kinds: ['entry-count'],
  },
  {
    what: 'a directory that is its own parent',
    change: (tables, { inner }) =>
      changeInode(tables, inner, (inode) => {
        inode.parent = inner;
      }),
    kinds: ['unreachable-inode', 'wrong-parent'],
  },
  {
    what: 'an entry of another type',
    change: (tables, { small }) =>
      changeInode(tables, small, (inode) => {
        inode.mode = 0o010644;
      }),
    kinds: ['bad-entry', 'bad-inode'],
  },
  {
    what: 'a name at the wrong slot',
    change: (tables, { inner }) => {
      const key = firstEntry(tables, inner);
      const value = Buffer.from(must(tables.dirent.get(key), 'entry'));
      tables.dirent.remove(key);
      tables.dirent.put(direntKey(inner, 16), value);
    },
    kinds: ['bad-entry', 'wrong-name'],
  },
  {
    what: 'an orphan without an inode, and one that has a name',
    change: (tables, { small }) => {
      tables.orphan.put(fidKey(4_711), Buffer.alloc(0));
      tables.orphan.put(fidKey(small), Buffer.alloc(0));
    },
    kinds: ['bad-orphan', 'stray-value'],
  },
  {
    what: 'an orphan that says something else than where its data end',
    change: (tables, { linked }) => {
      changeInode(tables, linked, (inode) => {
        inode.nlink = 0;
      });
      tables.orphan.put(fidKey(linked), Buffer.alloc(5));
    },
    kinds: ['bad-value', 'link-count'],
  },
  {
    what: 'an inode that nobody will free',
    change: (tables, { linked }) =>
      changeInode(tables, linked, (inode) => {
        inode.nlink = 0;
      }),
    kinds: ['link-count', 'lost-inode'],
  },
  {
    what: 'contents that are missing, or not wanted',
    change: (tables, { small, linked }) => {
      tables.inline.remove(fidKey(small));
      tables.inline.put(fidKey(linked), Buffer.from('whose?'));
    },
    kinds: ['missing-contents', 'stray-value'],
  },
  {
    what: 'contents longer than the file',
    change: (tables, { small }) => tables.inline.put(fidKey(small), Buffer.alloc(9)),
    kinds: ['bad-value'],
  },
  {
    what: 'another generation of object file',
    change: (tables, { large }) => changeInode(tables, large, (inode) => inode.generation++),
    kinds: ['garbage-object', 'missing-contents'],
  },
  {
    what: 'an xattr that the inode denies',
    change: (tables, { large }) =>
      tables.xattr.put(xattrKey(large, 'user.y'), Buffer.from('value')),
    kinds: ['bad-value'],
  },
  {
    what: 'a FID that will be given out again',
    change: (tables) => {
      const next = Buffer.alloc(8);
      next.writeBigUInt64LE(131_075n);
      tables.meta.put(Buffer.from('fid.reserved'), next);
    },
    kinds: ['bad-fid'],
  },
  {
    what: 'a block that two feeds owe',
    change: (tables) => tables.log.remove(lastBlock(tables)),
    kinds: ['missing-block'],
  },
  {
    what: 'a range that ends inside a record',
    change: (tables) => {
      const key = kept(must([...tables.cancel.keys({ limit: 1 })][0], 'range'));
      const value = Buffer.from(must(tables.cancel.get(key), 'range'));
      value.writeBigUInt64LE(value.readBigUInt64LE(0) + 8n, 0);
      tables.cancel.put(key, value);
    },
    kinds: ['bad-range'],
  },
  {
    what: 'a range of no feed, and one beyond the log',
    change: (tables) => {
      const value = Buffer.alloc(40);
      value.writeBigUInt64LE(1n << 40n, 0);
      value.writeBigUInt64LE(1n << 30n, 16);
      value.writeBigUInt64LE(1n << 41n, 32);
      tables.cancel.put(cancelKey(2, 0, 1_000_000), value);
      tables.cancel.put(cancelKey(99, 0, 0), value);
    },
    kinds: ['bad-range', 'stray-value'],
  },
  {
    what: 'a feed that is no JSON',
    change: (tables) => tables.feed.put(feedKey(2), Buffer.from('feed')),
    kinds: ['damaged-value'],
  },
  {
    what: 'a log that ends before its last block',
    change: (tables) => {
      const key = Buffer.from('log.end');
      const value = Buffer.from(must(tables.meta.get(key), 'end'));
      value.writeBigUInt64LE(value.readBigUInt64LE(0) - 8n, 0);
      tables.meta.put(key, value);
    },
    kinds: ['log-chain'],
  },
  {
    what: 'a block whose head counts wrongly',
    change: (tables) => {
      const key = lastBlock(tables);
      const value = Buffer.from(must(tables.log.get(key), 'block'));
      const { start, end, time } = decodeBlockHead(partsOfLogKey(key).offset, value);
      const wrong = { start, end: { ...end, index: (end.index + 1) as RecordIndex }, time };
      tables.log.put(key, encodeBlock(wrong, value.subarray(BLOCK_HEAD_BYTES)));
    },
    kinds: ['damaged-block', 'log-chain'],
  },
  {
    what: 'a block of a version from nowhere',
    change: (tables) => {
      const key = kept(must([...tables.log.keys({ start: logKey(0, 0), limit: 1 })][0], 'block'));
      const value = Buffer.from(must(tables.log.get(key), 'block'));
      value.writeUInt16LE(7, 0);
      tables.log.put(key, value);
    },
    kinds: ['damaged-block'],
  },
  ...LINK_CASES,
];

function lastBlock(tables: Tables): Buffer {
  return kept(must([...tables.log.keys({})].at(-1), 'block'));
}
