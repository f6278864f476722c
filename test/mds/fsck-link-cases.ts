/** What an object can say wrongly of its names. */
import { must } from '../../src/base/assert.js';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { decodeInode, encodeInode, type Inode } from '../../src/mds/inode.js';
import { fidKey, linkKey } from '../../src/store/keys.js';
import type { Store } from '../../src/store/store.js';
import type { Case } from './fsck-cases.js';

type Tables = Store['tables'];

const NOTHING = Buffer.alloc(0);

function inodeOf(tables: Tables, fid: Fid): Inode {
  return decodeInode(fid, Buffer.from(must(tables.inode.get(fidKey(fid)), 'inode')));
}

/** The inode says that its name is elsewhere. */
function say(tables: Tables, fid: Fid, place: { parent?: Fid | 0; slot?: number }): void {
  tables.inode.put(fidKey(fid), encodeInode(Object.assign(inodeOf(tables, fid), place)));
}

/** The only row of the table: another name of `linked`. */
function onlyRow(tables: Tables): Buffer {
  return Buffer.from(must([...tables.link.keys({})][0], 'row'));
}

export const LINK_CASES: readonly Case[] = [
  {
    what: 'a name at another slot than its inode says',
    change: (tables, { small }) => say(tables, small, { slot: 16 }),
    kinds: ['wrong-name'],
  },
  {
    what: 'a name in another directory than its inode says',
    change: (tables, { small, folder }) => say(tables, small, { parent: folder }),
    kinds: ['wrong-name'],
  },
  {
    what: 'an inode that does not say where its name is',
    change: (tables, { small, inner }) => {
      say(tables, small, { parent: 0, slot: 0 });
      say(tables, inner, { slot: 0 });
    },
    kinds: ['wrong-name'],
  },
  {
    what: 'a root that says that it has a name',
    change: (tables) => say(tables, ROOT_FID, { slot: 24 }),
    kinds: ['wrong-name'],
  },
  {
    what: 'an object without a name that says where one is',
    change: (tables, { folder }) => {
      const inode = inodeOf(tables, folder);
      const orphan = Object.assign(Object.create(inode) as Inode, inode, { nlink: 0, size: 0 });
      orphan.mode = 0o100644;
      orphan.entries = 0;
      const fid = 131_073 + 4_000;
      tables.inode.put(fidKey(fid), encodeInode(orphan));
      tables.orphan.put(fidKey(fid), NOTHING);
    },
    kinds: ['inode-count', 'wrong-name'],
  },
  {
    what: 'a further name that is not known',
    change: (tables) => tables.link.remove(onlyRow(tables)),
    kinds: ['missing-link'],
  },
  {
    what: 'a primary name that is also a further one, and one that is none',
    change: (tables, { linked }) => {
      const row = onlyRow(tables);
      const parent = Number(row.readBigUInt64BE(8)) as Fid;
      say(tables, linked, { parent, slot: Number(row.readBigUInt64BE(16)) });
    },
    kinds: ['missing-link', 'stray-link'],
  },
  {
    what: 'a wrong primary name of a file with two, both of them rows',
    change: (tables, { linked }) => {
      const { parent, slot } = inodeOf(tables, linked);
      tables.link.put(linkKey(linked, parent, slot), NOTHING);
      say(tables, linked, { slot: 16 });
    },
    kinds: ['wrong-name'],
  },
  {
    what: 'further names of nothing, of a directory, of another object, nowhere',
    change: (tables, { small, folder, inner, linked }) => {
      const place = inodeOf(tables, inner);
      tables.link.put(linkKey(4_711, ROOT_FID, 16), NOTHING);
      tables.link.put(linkKey(inner, place.parent, place.slot), NOTHING);
      tables.link.put(linkKey(small, place.parent, place.slot), NOTHING);
      tables.link.put(linkKey(linked, folder, 16), NOTHING);
      tables.link.put(linkKey(linked, 2 ** 52, 2 ** 52), NOTHING);
    },
    kinds: ['stray-link'],
  },
  {
    what: 'a key of further names that has the wrong length',
    change: (tables) => tables.link.put(Buffer.from('where?'), NOTHING),
    kinds: ['damaged-key'],
  },
];
