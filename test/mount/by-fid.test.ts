/** Opening by FID below .lustre/fid, and where .lustre is and is not. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fidFromParts, fidParts, formatFid, ROOT_FID } from '../../src/base/fid.js';
import { fails, withFile } from '../posix/case.js';
import { type TestMount, withMount } from '../support/mount.js';
import { runOk } from '../support/processes.js';

/** The inode number is the FID. */
function fidText(path: string): string {
  const { seq, oid, ver } = fidParts(fs.lstatSync(path).ino as Parameters<typeof fidParts>[0]);
  const fid = fidFromParts({ seq, oid, ver });
  if (fid === undefined) throw new Error(`${path}: its inode number is no FID`);
  return formatFid(fid);
}

function byFid(mount: TestMount, path: string): string {
  return join(mount.mnt, '.lustre', 'fid', fidText(path));
}

test('a file: read, write, change, wherever it has gone', () =>
  withMount(async (mount) => {
    const file = join(mount.mnt, 'file');
    fs.writeFileSync(file, 'contents');
    const path = byFid(mount, file);
    assert.is(fs.statSync(path).ino, fs.statSync(file).ino);
    fs.mkdirSync(join(mount.mnt, 'dir'));
    fs.renameSync(file, join(mount.mnt, 'dir', 'moved'));
    assert.is(fs.readFileSync(path, 'utf8'), 'contents');
    fs.appendFileSync(path, ' and more');
    fs.chmodSync(path, 0o600);
    fs.linkSync(path, join(mount.mnt, 'second'));
    const moved = join(mount.mnt, 'dir', 'moved');
    assert.is(fs.readFileSync(moved, 'utf8'), 'contents and more');
    assert.equal([fs.statSync(moved).mode & 0o7777, fs.statSync(moved).nlink], [0o600, 2]);
    await mount.remount();
    assert.is(fs.readFileSync(path, 'utf8'), 'contents and more');
  }));

test('a directory: listed, entered, changed', () =>
  withMount((mount) => {
    const dir = join(mount.mnt, 'dir');
    fs.mkdirSync(join(dir, 'below'), { recursive: true });
    const path = byFid(mount, dir);
    assert.equal(fs.readdirSync(path), ['below']);
    fs.writeFileSync(join(path, 'below', 'file'), 'x');
    fs.mkdirSync(join(path, 'made'));
    assert.equal(fs.readdirSync(dir).sort(), ['below', 'made']);
    assert.is(fs.readFileSync(join(dir, 'below', 'file'), 'utf8'), 'x');
  }));

test('the root', () =>
  withMount((mount) => {
    fs.writeFileSync(join(mount.mnt, 'file'), 'x');
    const path = join(mount.mnt, '.lustre', 'fid', formatFid(ROOT_FID));
    assert.equal(fs.readdirSync(path), ['file']);
    assert.is(fs.statSync(path).ino, fs.statSync(mount.mnt).ino);
    assert.is(fs.readFileSync(join(path, 'file'), 'utf8'), 'x');
  }));

test('a symlink, a FIFO', () =>
  withMount(async (mount) => {
    const [link, pipe] = [join(mount.mnt, 'link'), join(mount.mnt, 'pipe')];
    fs.symlinkSync('no/such', link);
    await runOk('mkfifo', [pipe]);
    assert.is(fs.readlinkSync(byFid(mount, link)), 'no/such');
    assert.ok(fs.lstatSync(byFid(mount, pipe)).isFIFO());
  }));

test('what is unknown, removed or malformed is not there', () =>
  withMount((mount) => {
    const fids = join(mount.mnt, '.lustre', 'fid');
    const file = join(mount.mnt, 'file');
    fs.writeFileSync(file, 'x');
    const removed = byFid(mount, file);
    withFile(file, 'r', (fd) => {
      fs.unlinkSync(file);
      fails('ENOENT', () => fs.statSync(removed));
      assert.is(fs.readFileSync(fd, 'utf8'), 'x');
    });
    fails('ENOENT', () => fs.statSync(removed));
    const control = formatFid(fs.statSync(fids).ino as Parameters<typeof formatFid>[0]);
    const bad = [
      ...['[0x200000401:0xfffff:0x0]', '[0x0:0x0:0x0]', '[0x0:0x1:0x0]', control],
      ...['file', '[]', '[0x1:0x1]', '[0x1:0x1:0x0', '[0x200000401:0x1:0x0]x', '[:::]', '\xff'],
      ...['[0x200000401:0x1:0x1]', '[0xffffffffffffffff:0xffffffff:0xffffffff]', '[-1:1:0]'],
      ...[`[0x${'0'.repeat(200)}1:0x1:0x0]`, '[0x200000401:0x100000001:0x0]', '[0xg:0x1:0x0]'],
    ];
    for (const name of bad) fails(['ENOENT', 'EINVAL'], () => fs.statSync(join(fids, name)));
    fails('ENAMETOOLONG', () => fs.statSync(join(fids, 'x'.repeat(256))));
  }));

test('names below .lustre are not for making, moving or removing', () =>
  withMount((mount) => {
    const file = join(mount.mnt, 'file');
    fs.writeFileSync(file, 'x');
    const path = byFid(mount, file);
    const fids = join(mount.mnt, '.lustre', 'fid');
    const refused = ['EPERM', 'EBUSY', 'EXDEV', 'EACCES'];
    fails(refused, () => fs.unlinkSync(path));
    fails(refused, () => fs.renameSync(path, join(mount.mnt, 'moved')));
    fails(refused, () => fs.renameSync(file, join(fids, 'moved')));
    fails(refused, () => fs.linkSync(file, join(fids, 'link')));
    fails(refused, () => fs.symlinkSync('x', join(fids, 'link')));
    fails(refused, () => fs.mkdirSync(join(fids, 'dir')));
    fails(refused, () => fs.writeFileSync(join(fids, 'new'), ''));
    fails(refused, () => fs.renameSync(join(mount.mnt, '.lustre'), join(mount.mnt, 'away')));
    fs.mkdirSync(join(mount.mnt, 'dir'));
    fails(refused, () => fs.renameSync(join(mount.mnt, 'dir'), join(mount.mnt, '.lustre')));
    fails(refused, () => fs.rmdirSync(fids));
    fails(refused, () => fs.chmodSync(fids, 0o777));
    assert.is(fs.readFileSync(path, 'utf8'), 'x');
  }));

test('.lustre is in no listing, and only in the root', () =>
  withMount(async (mount) => {
    fs.mkdirSync(join(mount.mnt, 'dir', '.lustre', 'feeds'), { recursive: true });
    fs.mkdirSync(join(mount.mnt, 'dir', '.lustre', 'feeds', 'ordinary'));
    fs.rmdirSync(join(mount.mnt, 'dir', '.lustre', 'feeds', 'ordinary'));
    assert.equal(fs.readdirSync(mount.mnt), ['dir']);
    assert.is((await runOk('find', ['.', '-name', 'fid'], { cwd: mount.mnt })).trim(), '');
    const top = join(mount.mnt, '.lustre');
    assert.equal(fs.readdirSync(top).sort(), [
      'feeds',
      'fid',
      'places',
      'recovery_status',
      'replica',
      'stats',
      'watch',
    ]);
    // By listing alone nobody learns which FIDs there are.
    assert.equal(fs.readdirSync(join(top, 'fid')), []);
    await runOk('rm', ['-rf', 'dir'], { cwd: mount.mnt });
    assert.ok(fs.statSync(join(top, 'feeds')).isDirectory());
  }));

test.run();
