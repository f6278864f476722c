/** Who may change mode, owner and times, of every kind of object. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { as, modeOf, type PosixCase, posixAsRoot, type Who, withFile } from './case.js';
import { KINDS, type Kind, make, NOT_SYMLINK } from './kinds.js';
import { AT_SYMLINK_NOFOLLOW, UTIME_NOW, UTIME_OMIT, utimensat } from './libc.js';
import { AT_EMPTY_PATH, fchownat } from './syscalls.js';
import { changesNothing, failsCleanly } from './unchanged.js';
import { ALICE, BOB, STAFF } from './users.js';

/** Leaves an id as it is. */
const KEEP = 0xffff_ffff;
const NOW = { sec: 0, nsec: UTIME_NOW };
const OMIT = { sec: 0, nsec: UTIME_OMIT };
const THEN = { sec: 1_234_567_890, nsec: 123_456_789 };

/** An object of Alice's and her own group. */
function alices(kind: Kind, dir: string, mode = 0o644): string {
  const path = join(dir, kind);
  make(kind, path, mode);
  fs.lchownSync(path, ALICE.uid, ALICE.gid);
  return path;
}

function idsOf(path: string): [uid: number, gid: number] {
  const { uid, gid } = fs.lstatSync(path);
  return [uid, gid];
}

interface ChownRow {
  readonly what: string;
  readonly who: Who;
  readonly uid: number;
  readonly gid: number;
  /** The ids that it leads to, or its refusal. */
  readonly leadsTo: readonly [uid: number, gid: number] | 'EPERM';
}

const CHOWNS: readonly ChownRow[] = [
  {
    what: 'to her own group',
    who: ALICE,
    uid: KEEP,
    gid: ALICE.gid,
    leadsTo: [ALICE.uid, ALICE.gid],
  },
  {
    what: 'to a supplementary group',
    who: ALICE,
    uid: KEEP,
    gid: STAFF,
    leadsTo: [ALICE.uid, STAFF],
  },
  {
    what: 'to herself and a group',
    who: ALICE,
    uid: ALICE.uid,
    gid: STAFF,
    leadsTo: [ALICE.uid, STAFF],
  },
  { what: 'to a strange group', who: ALICE, uid: KEEP, gid: 40_004, leadsTo: 'EPERM' },
  { what: 'to root’s group', who: ALICE, uid: KEEP, gid: 0, leadsTo: 'EPERM' },
  { what: 'away', who: ALICE, uid: BOB.uid, gid: KEEP, leadsTo: 'EPERM' },
  { what: 'away with a group of hers', who: ALICE, uid: BOB.uid, gid: STAFF, leadsTo: 'EPERM' },
  { what: 'by another to himself', who: BOB, uid: BOB.uid, gid: BOB.gid, leadsTo: 'EPERM' },
  { what: 'by another to his group', who: BOB, uid: KEEP, gid: BOB.gid, leadsTo: 'EPERM' },
];

function chownCase(kind: Kind, row: ChownRow): PosixCase {
  return posixAsRoot(`chown of a ${kind} of Alice’s ${row.what}`, (dir) => {
    const path = alices(kind, dir);
    const call = () => as(row.who, () => fs.lchownSync(path, row.uid, row.gid));
    if (row.leadsTo === 'EPERM') return failsCleanly('EPERM', dir, call);
    call();
    assert.equal(idsOf(path), row.leadsTo);
  });
}

interface TimesRow {
  readonly what: string;
  readonly who: Who;
  /** The object's mode: Alice owns it, and Bob is of the others. */
  readonly mode: number;
  readonly atime: typeof NOW;
  readonly mtime: typeof NOW;
  readonly fails?: 'EPERM' | 'EACCES';
}

const TIMES: readonly TimesRow[] = [
  { what: 'now by the owner, who may not write', who: ALICE, mode: 0o444, atime: NOW, mtime: NOW },
  { what: 'now by one who may write', who: BOB, mode: 0o646, atime: NOW, mtime: NOW },
  {
    what: 'now by one who may not',
    who: BOB,
    mode: 0o644,
    atime: NOW,
    mtime: NOW,
    fails: 'EACCES',
  },
  { what: 'given ones by the owner', who: ALICE, mode: 0o444, atime: THEN, mtime: THEN },
  {
    what: 'given ones by one who may write',
    who: BOB,
    mode: 0o666,
    atime: THEN,
    mtime: THEN,
    fails: 'EPERM',
  },
  {
    what: 'one given, by another',
    who: BOB,
    mode: 0o666,
    atime: THEN,
    mtime: OMIT,
    fails: 'EPERM',
  },
  {
    what: 'one now, one left, by another',
    who: BOB,
    mode: 0o666,
    atime: NOW,
    mtime: OMIT,
    fails: 'EPERM',
  },
  {
    what: 'one now, one given, by another',
    who: BOB,
    mode: 0o666,
    atime: NOW,
    mtime: THEN,
    fails: 'EPERM',
  },
];

function timesCase(kind: Kind, row: TimesRow): PosixCase {
  return posixAsRoot(`utimensat of a ${kind}: ${row.what}`, (dir) => {
    const path = alices(kind, dir);
    fs.chmodSync(path, row.mode);
    utimensat(path, { sec: 5, nsec: 6 }, { sec: 7, nsec: 8 });
    const call = () => as(row.who, () => utimensat(path, row.atime, row.mtime));
    if (row.fails !== undefined) return failsCleanly(row.fails, dir, call);
    call();
    const { mtimeNs, atimeNs } = fs.lstatSync(path, { bigint: true });
    if (row.mtime === THEN) {
      assert.is(mtimeNs, 1_234_567_890_123_456_789n);
      assert.is(atimeNs, 1_234_567_890_123_456_789n);
    } else assert.ok(mtimeNs > 7_000_000_008n && atimeNs > 5_000_000_006n);
  });
}

export const owners: readonly PosixCase[] = [
  ...KINDS.flatMap((kind) => CHOWNS.map((row) => chownCase(kind, row))),
  ...NOT_SYMLINK.flatMap((kind) => TIMES.map((row) => timesCase(kind, row))),
  ...NOT_SYMLINK.map((kind) =>
    posixAsRoot(`chmod of a ${kind} is for its owner and root`, (dir) => {
      const path = alices(kind, dir, 0o666);
      failsCleanly('EPERM', dir, () => as(BOB, () => fs.chmodSync(path, 0o777)));
      const groupsOwn = { ...BOB, gid: ALICE.gid };
      failsCleanly('EPERM', dir, () => as(groupsOwn, () => fs.chmodSync(path, 0o777)));
      as(ALICE, () => fs.chmodSync(path, 0o751));
      assert.is(modeOf(path), 0o751);
      fs.chmodSync(path, 0o7777);
      assert.is(modeOf(path), 0o7777);
    }),
  ),
  ...NOT_SYMLINK.map((kind) =>
    posixAsRoot(`chmod of a ${kind} by one outside its group takes set-gid away`, (dir) => {
      const path = alices(kind, dir);
      fs.lchownSync(path, ALICE.uid, 40_004);
      as(ALICE, () => fs.chmodSync(path, 0o2755));
      assert.is(modeOf(path), 0o755);
      fs.lchownSync(path, ALICE.uid, STAFF);
      as(ALICE, () => fs.chmodSync(path, 0o2755));
      assert.is(modeOf(path), 0o2755);
    }),
  ),
  ...KINDS.map((kind) =>
    posixAsRoot(`leaving both times of a ${kind} is allowed to all and does nothing`, (dir) => {
      const path = alices(kind, dir);
      changesNothing(dir, () => as(BOB, () => utimensat(path, OMIT, OMIT, AT_SYMLINK_NOFOLLOW)));
    }),
  ),
  posixAsRoot(
    'fchmod and fchown through any descriptor of the owner’s, not of another’s',
    (dir) => {
      const path = alices('file', dir, 0o666);
      fs.chmodSync(path, 0o666);
      as(ALICE, () =>
        withFile(path, 'r', (fd) => {
          fs.fchmodSync(fd, 0o606);
          fs.fchownSync(fd, KEEP, STAFF);
        }),
      );
      assert.is(modeOf(path), 0o606);
      assert.equal(idsOf(path), [ALICE.uid, STAFF]);
      as(BOB, () =>
        withFile(path, 'r+', (fd) => {
          failsCleanly('EPERM', dir, () => fs.fchmodSync(fd, 0o600));
          failsCleanly('EPERM', dir, () => fs.fchownSync(fd, KEEP, BOB.gid));
          failsCleanly('EPERM', dir, () => fs.futimesSync(fd, 1, 1));
        }),
      );
    },
  ),
  posixAsRoot('fchownat follows a link, or not, or takes the descriptor itself', (dir) => {
    const [path, link] = [join(dir, 'file'), join(dir, 'link')];
    fs.writeFileSync(path, '');
    fs.symlinkSync('file', link);
    withFile(dir, 'r', (fd) => {
      fchownat(fd, 'link', 1, 2, 0);
      fchownat(fd, 'link', 3, 4, AT_SYMLINK_NOFOLLOW);
      fchownat(fd, '', 5, 6, AT_EMPTY_PATH);
      failsCleanly('ENOENT', dir, () => fchownat(fd, '', 7, 8, 0));
      failsCleanly('EINVAL', dir, () => fchownat(fd, 'link', 7, 8, 1));
    });
    assert.equal([path, link, dir].map(idsOf), [
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
  }),
  posixAsRoot('nanoseconds out of range are EINVAL', (dir) => {
    const path = alices('file', dir);
    for (const nsec of [-1, 1_000_000_000, UTIME_NOW + 1]) {
      failsCleanly('EINVAL', dir, () => utimensat(path, THEN, { sec: 1, nsec }));
      failsCleanly('EINVAL', dir, () => utimensat(path, { sec: 1, nsec }, THEN));
    }
  }),
];
