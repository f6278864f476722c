/** The sticky bit of directories: who may remove, rename and replace what. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { as, exists, type PosixCase, posixAsRoot } from './case.js';
import { KINDS, type Kind, make, remove } from './kinds.js';
import { RENAME_EXCHANGE, renameat2 } from './libc.js';
import { failsCleanly } from './unchanged.js';
import { ALICE, BOB } from './users.js';

/** Names in the sticky directory: the object itself, and a file of Alice's. */
const OBJECT = 'object';
const MINE = 'mine';

interface Removal {
  readonly name: string;
  readonly run: (kind: Kind, sticky: string, free: string) => void;
}

/** Everything that takes the object's name from the sticky directory. */
const REMOVALS: readonly Removal[] = [
  { name: 'removes', run: (kind, sticky) => remove(kind, join(sticky, OBJECT)) },
  {
    name: 'renames',
    run: (_kind, sticky) => fs.renameSync(join(sticky, OBJECT), join(sticky, 'renamed')),
  },
  {
    name: 'moves away',
    run: (_kind, sticky, free) => fs.renameSync(join(sticky, OBJECT), join(free, 'moved')),
  },
  {
    name: 'replaces',
    run: (kind, sticky, free) => {
      const replacement = join(free, 'replacement');
      make(kind === 'directory' ? 'directory' : 'file', replacement);
      fs.renameSync(replacement, join(sticky, OBJECT));
    },
  },
  {
    name: 'exchanges',
    run: (_kind, sticky) => renameat2(join(sticky, MINE), join(sticky, OBJECT), RENAME_EXCHANGE),
  },
];

interface Owners {
  readonly name: string;
  readonly directory: number;
  readonly object: number;
  readonly allowed: boolean;
}

const OWNERS: readonly Owners[] = [
  { name: 'both hers', directory: ALICE.uid, object: ALICE.uid, allowed: true },
  { name: 'her directory', directory: ALICE.uid, object: BOB.uid, allowed: true },
  { name: 'her object', directory: BOB.uid, object: ALICE.uid, allowed: true },
  { name: 'neither hers', directory: BOB.uid, object: BOB.uid, allowed: false },
];

function stickyCase(kind: Kind, removal: Removal, owners: Owners): PosixCase {
  const title = `sticky: Alice ${removal.name} a ${kind}, ${owners.name}`;
  return posixAsRoot(title, (dir) => {
    const [sticky, free] = [join(dir, 'sticky'), join(dir, 'free')];
    for (const path of [sticky, free]) fs.mkdirSync(path);
    fs.chmodSync(free, 0o777);
    make(kind, join(sticky, OBJECT), 0o666);
    if (kind === 'directory') fs.chmodSync(join(sticky, OBJECT), 0o777);
    fs.lchownSync(join(sticky, OBJECT), owners.object, 0);
    make('file', join(sticky, MINE));
    fs.chownSync(join(sticky, MINE), ALICE.uid, ALICE.gid);
    fs.chownSync(sticky, owners.directory, 0);
    fs.chmodSync(sticky, 0o1777);
    const call = () => as(ALICE, () => removal.run(kind, sticky, free));
    if (owners.allowed) call();
    else if (removal.name === 'replaces') {
      // The replacement itself is new, so only the sticky directory is compared.
      failsCleanly('EPERM', sticky, call);
    } else failsCleanly('EPERM', dir, call);
  });
}

export const sticky: readonly PosixCase[] = [
  ...KINDS.flatMap((kind) =>
    REMOVALS.flatMap((removal) => OWNERS.map((owners) => stickyCase(kind, removal, owners))),
  ),
  posixAsRoot('sticky: everyone may make and link, and take what is theirs into it', (dir) => {
    fs.chmodSync(dir, 0o1777);
    fs.mkdirSync(join(dir, 'free'));
    fs.chmodSync(join(dir, 'free'), 0o777);
    as(BOB, () => {
      for (const kind of ['file', 'directory', 'symlink', 'fifo', 'socket'] as const) {
        make(kind, join(dir, 'free', kind));
        fs.renameSync(join(dir, 'free', kind), join(dir, kind));
      }
      fs.linkSync(join(dir, 'file'), join(dir, 'second'));
    });
    assert.ok(exists(join(dir, 'second')));
  }),
  posixAsRoot('sticky: root is not bound by it', (dir) => {
    fs.chmodSync(dir, 0o1777);
    for (const kind of KINDS) {
      make(kind, join(dir, kind));
      fs.lchownSync(join(dir, kind), BOB.uid, BOB.gid);
      fs.renameSync(join(dir, kind), join(dir, 'renamed'));
      remove(kind, join(dir, 'renamed'));
    }
  }),
];
