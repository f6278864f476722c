/**
 * Every kind of record in `changelog`, read by the independent reader, says what the line
 * of the same record in `stream.ndjson` says.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fails, USER } from '../posix/case.js';
import {
  getxattr,
  mknod,
  RENAME_EXCHANGE,
  removexattr,
  renameat2,
  setxattr,
  UTIME_OMIT,
  utimensat,
} from '../posix/libc.js';
import type { LustreRecord } from '../support/lustre-record.js';
import { withMount } from '../support/mount.js';
import { until } from '../support/processes.js';
import { ChangelogFeed, indices } from './changelog-fixture.js';
import { bytesRead, read, withReader } from './feed-fixture.js';

const NO_FID = '[0x0:0x0:0x0]';

/** What the comparison needs of a line. */
interface Line {
  readonly index: string;
  readonly time: string;
  readonly op: string;
  readonly fid: string;
  readonly parent?: string;
  readonly name?: string;
  readonly newParent?: string;
  readonly newName?: string;
  readonly attrs?: Readonly<Record<string, unknown>>;
  readonly uid: number;
  readonly gid: number;
  readonly nid: string;
  readonly jobid: string;
  readonly last?: boolean;
  readonly over?: { readonly fid: string; readonly last: boolean };
  readonly exchanged?: string;
  readonly xattr?: { readonly name: string };
  readonly access?: { readonly flags?: number };
}

/** Type numbers; 0 where the attributes decide. */
const TYPES: Readonly<Record<string, number>> = {
  create: 1,
  mkdir: 2,
  link: 3,
  symlink: 4,
  mknod: 5,
  unlink: 6,
  rmdir: 7,
  rename: 8,
  open: 10,
  close: 11,
  setattr: 0,
  setxattr: 15,
  removexattr: 15,
  write: 17,
  getxattr: 23,
  denied: 24,
};

const ATTRIBUTES = ['atime', 'mtime', 'ctime', 'size', 'mode', 'uid', 'gid'];

function attributeFlags(attrs: object): number {
  return ATTRIBUTES.reduce((flags, name, bit) => flags | (name in attrs ? 1 << bit : 0), 0);
}

function attributeType(attrs: object): number {
  if ('size' in attrs) return 13;
  if ('mode' in attrs || 'uid' in attrs || 'gid' in attrs) return 14;
  return 'mtime' in attrs ? 17 : 18;
}

function compare(record: LustreRecord, line: Line): void {
  const said = `${line.op} ${line.index}`;
  const { attrs = {}, access } = line;
  assert.is(record.index, BigInt(line.index), said);
  const type = TYPES[line.op];
  assert.is(record.type, type === 0 ? attributeType(attrs) : type, said);
  const time = record.seconds * 1_000_000_000n + BigInt(record.nanoseconds);
  assert.is(`${time}`, line.time, said);
  assert.is(record.uid, BigInt(line.uid), said);
  assert.is(record.gid, BigInt(line.gid), said);
  assert.is(record.jobid ?? '', line.jobid, said);
  assert.is(line.nid, '0@lo');
  assert.is(record.nid?.toString('hex'), '0000000000000900'.padEnd(48, '0'), said);
  assert.is(record.xattr, line.xattr?.name, said);
  if (line.op === 'rename') return compareRename(record, line);
  assert.is(record.tfid, line.fid, said);
  assert.is(record.pfid, line.parent ?? NO_FID, said);
  assert.is(record.name, line.name ?? '', said);
  if (line.op === 'setattr' || line.op === 'write') {
    assert.is(record.flags, attributeFlags(attrs), said);
  } else if (access !== undefined && line.op !== 'getxattr') {
    const { flags = 0 } = access;
    const exec = (flags & 0x20) === 0 ? 0 : 4;
    assert.is(record.flags, ([1, 2, 3, 3][flags & 3] ?? 0) | exec | (flags & 0o7700), said);
    if (line.op !== 'close') assert.is(record.openFlags, record.flags, said);
  } else assert.is(record.flags, line.last === true ? 1 : 0, said);
}

function compareRename(record: LustreRecord, line: Line): void {
  const said = `rename ${line.index}`;
  assert.is(record.tfid, line.over?.fid ?? line.exchanged ?? NO_FID, said);
  assert.is(record.pfid, line.newParent, said);
  assert.is(record.name, `${line.newName}\0${line.name}`, said);
  assert.equal(record.rename, { sfid: line.fid, spfid: line.parent }, said);
  assert.is(record.flags, line.over?.last === true ? 1 : 0, said);
}

function linesOf(feed: ChangelogFeed): Line[] {
  return withReader(feed.path('stream.ndjson'), (fd) => {
    const bytes = read(fd, 1 << 20);
    if (bytes === 'EAGAIN') return [];
    const lines = bytesRead(bytes).toString().split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Line);
  });
}

/** Compares all that the feed owes, and says which operations that were. */
function compareAll(feed: ChangelogFeed): Set<string> {
  const lines = linesOf(feed);
  const records = feed.records();
  assert.is(records.length, lines.length);
  for (const [i, record] of records.entries()) compare(record, lines[i] as Line);
  return new Set(lines.map(({ op }) => op));
}

/** Waits until everything done so far is visible. */
async function settled(feed: ChangelogFeed): Promise<void> {
  fs.mkdirSync(join(feed.mount.mnt, 'the-end'));
  const done = (): boolean => linesOf(feed).at(-1)?.name === 'the-end';
  await until(done, 'the last change');
}

const ALL_CHANGES = [
  ...['create', 'mkdir', 'mknod', 'symlink', 'link', 'unlink', 'rmdir', 'rename'],
  ...['setattr', 'setxattr', 'removexattr', 'write'],
];

test('changes of every kind', () =>
  withMount(async (mount) => {
    const feed = new ChangelogFeed(mount);
    const at = (name: string) => join(mount.mnt, name);
    const long = 'l'.repeat(255);
    fs.writeFileSync(at('file'), 'contents');
    fs.mkdirSync(at('directory'));
    fs.symlinkSync('file', at('link'));
    for (const type of [fs.constants.S_IFIFO, fs.constants.S_IFSOCK]) mknod(at(`${type}`), type);
    fs.linkSync(at('file'), at('directory/second'));
    fs.unlinkSync(at('file'));
    fs.renameSync(at('directory/second'), at(long));
    fs.renameSync(at(long), at('m'.repeat(255)));
    fs.writeFileSync(at('victim'), '');
    fs.renameSync(at('m'.repeat(255)), at('victim'));
    fs.linkSync(at('victim'), at('other'));
    fs.writeFileSync(at('new'), '');
    fs.renameSync(at('new'), at('other'));
    renameat2(at('other'), at('directory'), RENAME_EXCHANGE);
    fs.renameSync(at('directory'), at('other/sub'));
    fs.chmodSync(at('victim'), 0o640);
    fs.chownSync(at('victim'), 12, 34);
    fs.truncateSync(at('victim'), 2);
    utimensat(at('victim'), { sec: 7, nsec: 8 }, { sec: 9, nsec: 10 });
    utimensat(at('victim'), { sec: 7, nsec: 9 }, { sec: 0, nsec: UTIME_OMIT });
    setxattr(at('victim'), 'user.name', Buffer.from('value'));
    setxattr(at('victim'), `user.${'x'.repeat(250)}`, Buffer.alloc(10));
    removexattr(at('victim'), 'user.name');
    fs.mkdirSync(at('gone'));
    fs.rmdirSync(at('gone'));
    fs.unlinkSync(at('victim'));
    await settled(feed);
    assert.equal(compareAll(feed), new Set(ALL_CHANGES));
  }));

test('accesses of every kind', () =>
  withMount(
    async (mount) => {
      const feed = new ChangelogFeed(mount);
      const at = (name: string) => join(mount.mnt, name);
      fs.writeFileSync(join(feed.folder, 'filter'), '{"ops":["accesses","mkdir"]}');
      fs.chmodSync(mount.mnt, 0o755);
      fs.writeFileSync(at('file'), 'contents');
      setxattr(at('file'), 'user.name', Buffer.from('value'));
      getxattr(at('file'), 'user.name');
      fs.readFileSync(at('file'));
      fs.closeSync(fs.openSync(at('file'), fs.constants.O_RDWR | fs.constants.O_APPEND));
      fs.closeSync(fs.openSync(at('file'), fs.constants.O_WRONLY | fs.constants.O_NONBLOCK));
      fs.writeFileSync(at('script'), '#!/bin/true\n', { mode: 0o755 });
      assert.is(spawnSync(at('script')).status, 0);
      fs.chmodSync(at('file'), 0o600);
      const refused = spawnSync('cat', [at('file')], USER);
      assert.is(refused.status, 1);
      await settled(feed);
      assert.equal(compareAll(feed), new Set(['open', 'close', 'denied', 'getxattr', 'mkdir']));
    },
    { options: 'allow_other' },
  ));

test('a filter leaves gaps between indices, and a clear of what it left out is no mistake', () =>
  withMount(async (mount) => {
    const feed = new ChangelogFeed(mount);
    fs.writeFileSync(join(feed.folder, 'filter'), '{"ops":["mkdir"]}');
    for (let i = 0; i < 5; i++) {
      fs.mkdirSync(join(mount.mnt, `d${i}`));
      fs.chmodSync(join(mount.mnt, `d${i}`), 0o700);
    }
    await settled(feed);
    compareAll(feed);
    assert.equal(indices(feed.records()), [1, 3, 5, 7, 9, 11]);
    const { id } = feed;
    for (const n of [3, 3, 4]) assert.is(feed.write(`clear:cl${id}:${n}`), undefined);
    for (const n of [1, 3]) assert.is(feed.write(`clear:cl${id}:${n}`), 'ENOENT');
    assert.equal(indices(feed.records()), [5, 7, 9, 11]);
    fails('EINVAL', () => {
      const errno = feed.write(`clear:cl${id}:12`);
      if (errno !== undefined) throw Object.assign(new Error(errno), { code: errno });
    });
  }));

test.run();
