/** When set-id bits go, and what a set-gid directory hands on. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { as, modeOf, type PosixCase, posixAsRoot, type Who, withFile } from './case.js';
import { copyFileRange, PUNCH_HOLE_KEEP_SIZE } from './data-calls.js';
import { KINDS, make } from './kinds.js';
import { fallocate } from './libc.js';
import { truncate } from './syscalls.js';
import { ALICE, BOB, STAFF } from './users.js';

const KEEP = 0xffff_ffff;
const ROOT = { uid: 0, gid: 0 };
/** Modes with set-id bits, and what is left of each. */
const MODES: readonly (readonly [before: number, after: number])[] = [
  [0o4777, 0o0777],
  [0o2777, 0o0777],
  [0o6777, 0o0777],
  [0o7777, 0o1777],
];

interface Change {
  readonly name: string;
  readonly who: Who;
  /** Set-id bits are lost. */
  readonly loses: boolean;
  readonly run: (path: string) => void;
}

const CHANGES: readonly Change[] = [
  {
    name: 'chown by root',
    who: ROOT,
    loses: true,
    run: (path) => fs.chownSync(path, BOB.uid, KEEP),
  },
  {
    name: 'chgrp by root',
    who: ROOT,
    loses: true,
    run: (path) => fs.chownSync(path, KEEP, BOB.gid),
  },
  {
    name: 'chown to the same by root',
    who: ROOT,
    loses: true,
    run: (path) => fs.chownSync(path, ALICE.uid, STAFF),
  },
  {
    name: 'chgrp by the owner',
    who: ALICE,
    loses: true,
    run: (path) => fs.chownSync(path, KEEP, ALICE.gid),
  },
  {
    name: 'fchown by the owner',
    who: ALICE,
    loses: true,
    run: (path) => withFile(path, 'r', (fd) => fs.fchownSync(fd, KEEP, ALICE.gid)),
  },
  {
    name: 'write by the owner',
    who: ALICE,
    loses: true,
    run: (path) => withFile(path, 'r+', (fd) => fs.writeSync(fd, 'x')),
  },
  {
    name: 'write by another',
    who: BOB,
    loses: true,
    run: (path) => withFile(path, 'r+', (fd) => fs.writeSync(fd, 'x')),
  },
  { name: 'append by another', who: BOB, loses: true, run: (path) => fs.appendFileSync(path, 'x') },
  {
    name: 'large write by another',
    who: BOB,
    loses: true,
    run: (path) => withFile(path, 'r+', (fd) => fs.writeSync(fd, Buffer.alloc(300_000))),
  },
  { name: 'truncate by another', who: BOB, loses: true, run: (path) => truncate(path, 2) },
  {
    name: 'ftruncate by another',
    who: BOB,
    loses: true,
    run: (path) => withFile(path, 'r+', (fd) => fs.ftruncateSync(fd, 2)),
  },
  { name: 'O_TRUNC by another', who: BOB, loses: true, run: (path) => fs.writeFileSync(path, '') },
  {
    name: 'write by root',
    who: ROOT,
    loses: false,
    run: (path) => withFile(path, 'r+', (fd) => fs.writeSync(fd, 'x')),
  },
  { name: 'truncate by root', who: ROOT, loses: false, run: (path) => truncate(path, 2) },
  { name: 'O_TRUNC by root', who: ROOT, loses: false, run: (path) => fs.writeFileSync(path, '') },
  { name: 'read by another', who: BOB, loses: false, run: (path) => fs.readFileSync(path) },
  {
    name: 'utimes by the owner',
    who: ALICE,
    loses: false,
    run: (path) => fs.utimesSync(path, 1, 1),
  },
  {
    name: 'link and rename by the owner',
    who: ALICE,
    loses: false,
    run: (path) => {
      fs.linkSync(path, `${path}-2`);
      fs.renameSync(`${path}-2`, `${path}-3`);
    },
  },
];

function changeCase(change: Change): PosixCase {
  return posixAsRoot(
    `set-id: ${change.name} ${change.loses ? 'takes' : 'leaves'} the bits`,
    (dir) => {
      fs.chmodSync(dir, 0o777);
      for (const [before, after] of MODES) {
        const path = join(dir, `program-${before}`);
        fs.writeFileSync(path, 'contents');
        fs.chownSync(path, ALICE.uid, STAFF);
        fs.chmodSync(path, before);
        // Known to the kernel's caches, under both names that it will have.
        assert.is(modeOf(path), before);
        as(change.who, () => change.run(path));
        assert.is(modeOf(path), change.loses ? after : before, before.toString(8));
      }
    },
  );
}

/**
 * Set-group-id where the group may not execute means nothing any more, and is taken all
 * the same from what somebody changes who is not in the group.
 */
function groupBitCase({ name, who, loses, run }: Change): PosixCase {
  const outside = who !== ROOT && who !== ALICE;
  const goes = loses && outside;
  return posixAsRoot(
    `set-gid without execution: ${name} ${goes ? 'takes' : 'leaves'} it`,
    (dir) => {
      fs.chmodSync(dir, 0o777);
      const path = join(dir, 'file');
      fs.writeFileSync(path, 'contents');
      fs.chownSync(path, ALICE.uid, STAFF);
      fs.chmodSync(path, 0o2666);
      assert.is(modeOf(path), 0o2666);
      as(who, () => run(path));
      assert.is(modeOf(path), goes ? 0o666 : 0o2666);
    },
  );
}

const inPlace = (name: string, who: Who, use: (fd: number) => void): Change => ({
  name: `${name} by ${who.uid}`,
  who,
  loses: true,
  run: (path) => withFile(path, 'r+', use),
});

/** As a member of the group by supplementary groups, by the one in force, or not at all. */
const RANGES: readonly Change[] = [ALICE, BOB].flatMap((who) => [
  inPlace('fallocate', who, (fd) => fallocate(fd, 0, 0, 10_000)),
  inPlace('a hole', who, (fd) => fallocate(fd, PUNCH_HOLE_KEEP_SIZE, 0, 4)),
  inPlace('copy_file_range', who, (fd) => {
    assert.is(copyFileRange(fd, 0, fd, 100, 8), 8);
  }),
]);

/** The set-gid directory's group: one that Bob is not in. */
const GROUP = STAFF;

export const setId: readonly PosixCase[] = [
  ...CHANGES.map(changeCase),
  ...[...CHANGES, ...RANGES].map(groupBitCase),
  posixAsRoot('set-gid without execution: the group in force counts like the others', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, 'contents');
    fs.chownSync(path, 0, STAFF);
    fs.chmodSync(path, 0o2666);
    as({ ...BOB, gid: STAFF }, () => withFile(path, 'r+', (fd) => fs.writeSync(fd, 'x')));
    assert.is(modeOf(path), 0o2666);
  }),
  posixAsRoot('set-gid without execution: an owner outside the group takes it by chgrp', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, 'contents');
    fs.chownSync(path, BOB.uid, STAFF);
    fs.chmodSync(path, 0o6646);
    as(BOB, () => fs.chownSync(path, KEEP, BOB.gid));
    assert.is(modeOf(path), 0o646);
  }),
  posixAsRoot('set-id: a directory keeps its bits whoever owns it', (dir) => {
    const path = join(dir, 'sub');
    fs.mkdirSync(path);
    fs.chmodSync(path, 0o6755);
    fs.chownSync(path, ALICE.uid, ALICE.gid);
    assert.is(modeOf(path), 0o6755);
    as(ALICE, () => fs.chownSync(path, KEEP, STAFF));
    assert.is(modeOf(path), 0o6755);
  }),
  ...KINDS.map((kind) =>
    posixAsRoot(`set-gid directory: a ${kind} in it gets its group`, (dir) => {
      fs.chownSync(dir, 0, GROUP);
      fs.chmodSync(dir, 0o2777);
      make(kind, join(dir, 'roots'));
      assert.equal(
        [fs.lstatSync(join(dir, 'roots')).uid, fs.lstatSync(join(dir, 'roots')).gid],
        [0, GROUP],
      );
      if (kind === 'character' || kind === 'block') return;
      as(BOB, () => make(kind, join(dir, 'bobs')));
      const { uid, gid } = fs.lstatSync(join(dir, 'bobs'));
      assert.equal([uid, gid], [BOB.uid, GROUP]);
      const inherits = kind === 'directory' ? 0o2000 : 0;
      assert.is(modeOf(join(dir, 'bobs')) & 0o2000, inherits);
    }),
  ),
  ...KINDS.map((kind) =>
    posixAsRoot(`an ordinary directory: a ${kind} in it gets its maker’s group`, (dir) => {
      fs.chownSync(dir, 0, GROUP);
      fs.chmodSync(dir, 0o777);
      const who = kind === 'character' || kind === 'block' ? { ...ROOT, gid: 9 } : BOB;
      as(who, () => make(kind, join(dir, 'new')));
      const { uid, gid } = fs.lstatSync(join(dir, 'new'));
      assert.equal([uid, gid], [who.uid, who.gid]);
    }),
  ),
  posixAsRoot('set-gid directory: only a member of its group makes set-gid files in it', (dir) => {
    fs.chownSync(dir, 0, GROUP);
    fs.chmodSync(dir, 0o2777);
    const create = (name: string) => fs.closeSync(fs.openSync(join(dir, name), 'w', 0o2775));
    as(BOB, () => create('bobs'));
    as(ALICE, () => create('alices'));
    assert.is(modeOf(join(dir, 'bobs')), 0o755);
    assert.is(modeOf(join(dir, 'alices')), 0o2755);
  }),
  posixAsRoot('set-id: bits of a new file that its maker asks for are kept', (dir) => {
    fs.chmodSync(dir, 0o777);
    as(ALICE, () => fs.closeSync(fs.openSync(join(dir, 'file'), 'w', 0o6711)));
    assert.is(modeOf(join(dir, 'file')), 0o6711);
  }),
];
