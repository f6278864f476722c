/** Who may use a mount and its control tree: root's mount, and an ordinary user's. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MAIN, type TestMount, withFolder, withMount } from '../support/mount.js';
import { mountsUnder } from '../support/mounts.js';
import { type Finished, run } from '../support/processes.js';
import {
  makeHome,
  runAsUser,
  USER,
  userCanReadCheckout,
  withDeviceForAll,
} from './ordinary-user.js';

/** A shell command as someone without rights, inside the mount. */
function asUser(mount: TestMount, command: string): Promise<Finished> {
  return run('sh', ['-c', command], {
    cwd: '/',
    env: { MNT: mount.mnt, PATH: '/bin:/usr/bin' },
    ...USER,
  });
}

async function assertDenied(mount: TestMount, command: string): Promise<void> {
  const { code, stderr } = await asUser(mount, command);
  assert.is.not(code, 0, command);
  assert.match(stderr, /Permission denied/, command);
}

if (process.getuid?.() === 0) {
  test('on root’s mount other users work under ordinary permissions, and see nothing of the feeds', () =>
    withMount(async (mount) => {
      mount.feed('f');
      fs.writeFileSync(join(mount.mnt, 'public'), 'for all', { mode: 0o644 });
      fs.writeFileSync(join(mount.mnt, 'private'), 'secret', { mode: 0o600 });
      fs.mkdirSync(join(mount.mnt, 'shared'));
      fs.chmodSync(join(mount.mnt, 'shared'), 0o1777);
      const { stdout } = await asUser(mount, 'cat "$MNT/public" && echo mine > "$MNT/shared/mine"');
      assert.is(stdout.toString(), 'for all');
      const mine = fs.statSync(join(mount.mnt, 'shared', 'mine'));
      assert.equal([mine.uid, mine.gid], [USER.uid, USER.gid]);
      const fid = join('.lustre/fid', '[0x200000401:0x1:0x0]');
      for (const command of [
        'cat "$MNT/private"',
        'touch "$MNT/new"',
        'ls "$MNT/.lustre/feeds"',
        'ls "$MNT/.lustre/fid"',
        `cat "$MNT/${fid}"`,
        'mkdir "$MNT/.lustre/feeds/theirs"',
        'rmdir "$MNT/.lustre/feeds/f"',
        'cat "$MNT/.lustre/feeds/f/stream"',
        'cat "$MNT/.lustre/feeds/f/info"',
        'fallocate -p -l 1 "$MNT/.lustre/feeds/f/stream"',
      ]) {
        await assertDenied(mount, command);
      }
      assert.ok(fs.existsSync(join(mount.mnt, '.lustre', 'feeds', 'f')));
    }));

  test('with noallow_other nobody else sees the mount at all', () =>
    withMount(
      async (mount) => {
        await assertDenied(mount, 'ls "$MNT"');
        await assertDenied(mount, 'cat "$MNT/.lustre/feeds"');
      },
      { options: 'noallow_other' },
    ));

  test('a set-id program that an ordinary user wrote to lends its rights to nobody', () =>
    withMount(async (mount) => {
      const program = join(mount.mnt, 'id');
      const uid = async () => (await asUser(mount, '"$MNT/id" -u')).stdout.toString().trim();
      fs.copyFileSync('/usr/bin/id', program);
      fs.chmodSync(program, 0o4777);
      assert.is(await uid(), '0');
      // No stat in between: the kernel must not trust the mode that it knows.
      assert.is((await asUser(mount, 'printf x >> "$MNT/id"')).code, 0);
      assert.is(await uid(), `${USER.uid}`);
      assert.is(fs.statSync(program).mode & 0o7777, 0o777);
    }));

  test('a change made by another user is recorded as theirs', () =>
    withMount(async (mount) => {
      const feed = mount.feed('f');
      fs.chmodSync(mount.mnt, 0o777);
      assert.is((await asUser(mount, 'mkdir "$MNT/theirs"')).code, 0);
      const { stdout } = await run('timeout', [
        '5',
        'head',
        '-n',
        '2',
        join(feed, 'stream.ndjson'),
      ]);
      const line = JSON.parse(stdout.toString().split('\n')[1] ?? '');
      assert.equal([line.op, line.uid, line.gid], ['mkdir', USER.uid, USER.gid]);
      assert.equal([line.attrs.uid, line.attrs.gid], [USER.uid, USER.gid]);
      assert.ok(line.pid > 0);
    }));
}

if (process.getuid?.() === 0 && (await userCanReadCheckout())) {
  const feedfs = `'${process.execPath}' '${MAIN}'`;
  const session = (lines: readonly string[]) => ['set -e', ...lines].join('\n');

  test('an ordinary user owns the control tree of their mount, and everything in it', () =>
    withFolder((folder) =>
      withDeviceForAll(async () => {
        const home = makeHome(folder);
        const script = session([
          'mkdir mnt',
          `${feedfs} mount store mnt`,
          'mkdir mnt/.lustre/feeds/mine',
          'stat -c "%u %a %n" mnt mnt/.lustre/feeds mnt/.lustre/feeds/mine/stream',
          'mkdir mnt/dir',
          'fid=$(head -n 1 mnt/.lustre/feeds/mine/stream.ndjson | grep -o "\\[[^]]*\\]" | head -n 1)',
          'ls -d "mnt/.lustre/fid/$fid"',
          'fallocate -p -l 1000000 mnt/.lustre/feeds/mine/stream',
          'stat -c "%b blocks" mnt/.lustre/feeds/mine/stream',
          'rmdir mnt/.lustre/feeds/mine',
          // What only root may do is refused, as on any filesystem.
          '! chown 0 mnt/dir 2>/dev/null',
          '! mknod mnt/null c 1 3 2>/dev/null',
          `${feedfs} umount mnt`,
        ]);
        const { code, stdout, stderr } = await runAsUser('sh', ['-c', script], home);
        assert.is(code, 0, stderr);
        const { uid } = USER;
        assert.match(stdout.toString(), `${uid} 700 mnt/.lustre/feeds\n`);
        assert.match(stdout.toString(), `${uid} 600 mnt/.lustre/feeds/mine/stream\n`);
        assert.match(stdout.toString(), '0 blocks\n');
        assert.equal(mountsUnder(folder), []);
      }),
    ));

  test('allow_other of an ordinary user is for /etc/fuse.conf to permit', () =>
    withFolder((folder) =>
      withDeviceForAll(async () => {
        const home = makeHome(folder);
        const permitted = /^\s*user_allow_other\b/m.test(readIfThere('/etc/fuse.conf'));
        const script = session([
          'mkdir mnt',
          `${feedfs} mount store mnt -o allow_other`,
          `${feedfs} umount mnt`,
        ]);
        const { code, stderr } = await runAsUser('sh', ['-c', script], home);
        if (permitted) assert.is(code, 0, stderr);
        else {
          assert.is.not(code, 0);
          assert.match(stderr, /user_allow_other/);
        }
        assert.equal(mountsUnder(folder), []);
      }),
    ));
} else {
  test.skip('an ordinary user’s mount (needs root, and a checkout that others may read)', () => {});
}

function readIfThere(path: string): string {
  return fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : '';
}

test.run();
