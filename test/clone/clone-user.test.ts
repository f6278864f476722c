// test-timeout: 120 s
/**
 * A copy by an ordinary user: everything that the user may do is done, the rest is told
 * exactly; --map-uid, --dry-run, and symlinks that lead out of the target.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { makeHome, USER, userCanReadCheckout } from '../mount/ordinary-user.js';
import { mknod, setxattr } from '../posix/libc.js';
import { ACCESS, aclOf, aclText } from '../support/acl.js';
import { lgetxattr } from '../support/libc.js';
import { feedfs, withMount } from '../support/mount.js';
import { diffTrees, snapshotTree } from '../support/snapshot-tree.js';
import { assertIdentical, clone, quiesce, receiveBytes, streamOf } from './cloning.js';

const FEED = 'copy';
const OTHER = 12_345;
const { S_IFCHR, S_IFIFO } = fs.constants;

/** A tree of which an ordinary user can copy only a part as it is. */
function makeTree(mnt: string): void {
  const at = (name: string) => join(mnt, name);
  fs.mkdirSync(at('dir'));
  fs.writeFileSync(at('dir/mine'), 'mine');
  fs.chownSync(at('dir/mine'), USER.uid, USER.gid);
  fs.writeFileSync(at('dir/theirs'), 'theirs');
  fs.chownSync(at('dir/theirs'), OTHER, OTHER);
  fs.writeFileSync(at('trusted'), 'x');
  setxattr(at('trusted'), 'trusted.secret', Buffer.from('x'));
  setxattr(at('trusted'), 'user.known', Buffer.from('x'));
  mknod(at('device'), S_IFCHR | 0o600, 0x103n);
  mknod(at('fifo'), S_IFIFO | 0o600);
  fs.mkdirSync(at('closed'));
  fs.writeFileSync(at('closed/inside'), 'x');
  fs.chmodSync(at('closed'), 0o500);
  for (const name of ['dir', 'trusted', 'device', 'fifo', 'closed', 'closed/inside', '.']) {
    fs.chownSync(at(name), USER.uid, USER.gid);
  }
}

test('an ordinary user copies what it may, and is told what it may not', async () => {
  if (!(await userCanReadCheckout())) return;
  await withMount(async (mount) => {
    const { mnt } = mount;
    mount.feed(FEED);
    makeTree(mnt);
    quiesce(mnt);
    const home = makeHome(mount.folder);
    const target = join(home, 'target');
    fs.mkdirSync(target);
    fs.chownSync(target, USER.uid, USER.gid);
    const first = await receiveBytes(await streamOf({ mnt, feed: FEED }), target, [], USER);
    assert.is(first.code, ExitCode.COPY_INCOMPLETE, first.stderr);
    for (const told of ['dir/theirs', 'trusted.secret', 'device']) {
      assert.ok(first.stderr.includes(told), `${told} is not in: ${first.stderr}`);
    }
    for (const fine of ['dir/mine', 'user.known', 'fifo', 'closed']) {
      assert.not.ok(first.stderr.includes(fine), `${fine} is in: ${first.stderr}`);
    }
    assert.not.ok(fs.existsSync(join(target, 'device')));
    assert.is(fs.readFileSync(join(target, 'dir/theirs'), 'utf8'), 'theirs');

    // What could not be made takes part no less: it is renamed, removed, replaced.
    fs.renameSync(join(mnt, 'device'), join(mnt, 'dir/device'));
    fs.renameSync(join(mnt, 'closed'), join(mnt, 'dir/closed'));
    fs.writeFileSync(join(mnt, 'dir/closed/another'), 'x');
    fs.chownSync(join(mnt, 'dir/closed/another'), USER.uid, USER.gid);
    quiesce(mnt);
    const changes = await streamOf({ mnt, feed: FEED, args: ['--baseline'] });
    const second = await receiveBytes(changes, target, [], USER);
    assert.is(second.code, ExitCode.COPY_INCOMPLETE, second.stderr);
    fs.rmSync(join(mnt, 'dir/device'));
    fs.rmSync(join(mnt, 'trusted'));
    fs.chownSync(join(mnt, 'dir/theirs'), USER.uid, USER.gid);
    quiesce(mnt);
    const rest = await streamOf({ mnt, feed: FEED, args: ['--baseline'] });
    const third = await receiveBytes(rest, target, [], USER);
    assert.is(third.code, 0, third.stderr);
    await assertIdentical(mnt, target);
  });
});

test('--map-uid and --map-gid change owners, in ACLs too', () =>
  withMount(async (mount) => {
    const { mnt, folder } = mount;
    const target = join(folder, 'target');
    fs.mkdirSync(target);
    mount.feed(FEED);
    const [file, copy] = [join(mnt, 'file'), join(target, 'file')];
    fs.writeFileSync(file, 'x');
    fs.chownSync(file, OTHER, OTHER + 1);
    setxattr(file, ACCESS, aclOf('u::rw-', `u:${OTHER}:r--`, 'g::r--', 'm::r--', 'o::---'));
    quiesce(mnt);
    const map = ['--map-uid', `${OTHER}:7`, '--map-gid', `${OTHER + 1}:8`];
    await clone({ mnt, feed: FEED }, { target, args: map });
    const { uid, gid } = fs.statSync(copy);
    assert.equal([uid, gid], [7, 8]);
    const acl = aclText(lgetxattr(Buffer.from(copy), Buffer.from(ACCESS)));
    assert.ok(acl.includes('u:7:r--'), acl.join());
    fs.chownSync(file, OTHER, 0);
    quiesce(mnt);
    await clone({ mnt, feed: FEED, args: ['--from', 'last'] }, { target, args: map });
    assert.equal([fs.statSync(copy).uid, fs.statSync(copy).gid], [7, 0]);
  }));

test('--dry-run tells what would happen and changes nothing, at either end', () =>
  withMount(async (mount) => {
    const { mnt, folder } = mount;
    const target = join(folder, 'target');
    fs.mkdirSync(target);
    const feed = mount.feed(FEED);
    for (const name of ['kept', 'old', 'gone']) fs.writeFileSync(join(mnt, name), name);
    quiesce(mnt);
    const dry = ['receive', target, '--dry-run'];
    const baseline = await streamOf({ mnt, feed: FEED });
    const before = await feedfs(dry, { input: baseline });
    assert.is(before.code, 0, before.stderr);
    assert.match(before.stdout.toString(), /^\+ kept$/m);
    assert.equal(fs.readdirSync(target), []);
    assert.equal(
      fs.readdirSync(folder).filter((name) => name.startsWith('.target')),
      [],
    );

    await clone({ mnt, feed: FEED }, { target });
    const tree = snapshotTree(target);
    fs.renameSync(join(mnt, 'old'), join(mnt, 'renamed'));
    fs.rmSync(join(mnt, 'gone'));
    fs.writeFileSync(join(mnt, 'new'), 'new');
    fs.appendFileSync(join(mnt, 'kept'), 'more');
    quiesce(mnt);
    const info = fs.readFileSync(join(feed, 'info'), 'utf8');
    const records = await streamOf({ mnt, feed: FEED, args: ['--from', 'last'] });
    const { code, stdout, stderr } = await feedfs(dry, { input: records });
    assert.is(code, 0, stderr);
    for (const line of [/^\+ new$/m, /^- gone$/m, /^R old -> renamed$/m, /^M kept/m]) {
      assert.match(stdout.toString(), line);
    }
    assert.equal(diffTrees(tree, snapshotTree(target)), []);
    assert.equal(placesOf(fs.readFileSync(join(feed, 'info'), 'utf8')), placesOf(info));
    await clone({ mnt, feed: FEED, args: ['--from', 'last'] }, { target });
    await assertIdentical(mnt, target);
  }));

/** What of `info` tells how far a feed is acknowledged. */
function placesOf(info: string): unknown {
  const { firstOffset, firstIndex, owedRecords } = JSON.parse(info) as Record<string, unknown>;
  return { firstOffset, firstIndex, owedRecords };
}

test('symlinks that lead out of the target lead nowhere', () =>
  withMount(async (mount) => {
    const { mnt, folder } = mount;
    const [target, outside] = [join(folder, 'target'), join(folder, 'outside')];
    for (const path of [target, outside]) fs.mkdirSync(path);
    fs.writeFileSync(join(outside, 'file'), 'theirs');
    const theirs = snapshotTree(outside);
    mount.feed(FEED);
    // In the stream: a symlink where a directory was, and the other way round.
    fs.symlinkSync(outside, join(mnt, 'link'));
    fs.mkdirSync(join(mnt, 'dir'));
    fs.writeFileSync(join(mnt, 'dir/file'), 'ours');
    quiesce(mnt);
    await clone({ mnt, feed: FEED }, { target });
    fs.rmSync(join(mnt, 'link'));
    fs.renameSync(join(mnt, 'dir'), join(mnt, 'link'));
    fs.writeFileSync(join(mnt, 'link/file'), 'changed');
    fs.symlinkSync(outside, join(mnt, 'dir'));
    quiesce(mnt);
    await clone({ mnt, feed: FEED, args: ['--from', 'last'] }, { target });
    await assertIdentical(mnt, target);

    // At the target: somebody puts a symlink where a directory of the copy was.
    fs.rmSync(join(target, 'link'), { recursive: true });
    fs.symlinkSync(outside, join(target, 'link'));
    fs.writeFileSync(join(mnt, 'link/file'), 'changed again');
    fs.writeFileSync(join(mnt, 'link/new'), 'new');
    quiesce(mnt);
    const stream = await streamOf({ mnt, feed: FEED, args: ['--from', 'last'] });
    const refused = await receiveBytes(stream, target);
    assert.is(refused.code, ExitCode.STREAM_REFUSED, refused.stderr);
    assert.equal(diffTrees(theirs, snapshotTree(outside)), []);
  }));

test.run();
