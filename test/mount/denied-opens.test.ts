import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withMount } from '../support/mount.js';
import { run, until } from '../support/processes.js';
import { Audit, NOBODY, prepare, withAudit } from './audit-fixture.js';
import { USER } from './ordinary-user.js';

if (process.getuid?.() === 0) {
  test('opens that are denied, and by what', () =>
    withAudit(async (audit) => {
      const cases: readonly [command: string, args: string[], told: string][] = [
        ['cat', ['private'], `denied private r errno 13 by cat.${NOBODY}`],
        ['cat', ['closed/file'], `denied closed/ r errno 13 by cat.${NOBODY}`],
        ['cat', ['listed/file'], `denied listed/ r errno 13 by cat.${NOBODY}`],
        ['ls', ['searched'], `denied searched/ r directory errno 13 by ls.${NOBODY}`],
        ['touch', ['new'], `denied root/ w creat errno 13 by touch.${NOBODY}`],
        ['touch', ['readonly'], `denied readonly w creat errno 13 by touch.${NOBODY}`],
      ];
      for (const [command, names, told] of cases) {
        await audit.run(
          command,
          names.map((name) => audit.path(name)),
          'user',
        );
        assert.equal(await audit.told(), [told]);
        // Also when the kernel has been through it before.
        await audit.run(
          command,
          names.map((name) => audit.path(name)),
          'user',
        );
        assert.equal(await audit.told(), [told]);
      }
      await audit.run('sh', ['-c', 'exec 3<>"$MNT/readonly"'], 'user');
      assert.equal(await audit.told(), [`denied readonly rw creat errno 13 by sh.${NOBODY}`]);
    }));

  test('a file that is there is opened with O_CREAT, also where none may be made', () =>
    withMount(async (mount) => {
      await prepare(mount);
      for (const name of ['closed', 'searched', 'listed']) {
        fs.chmodSync(join(mount.mnt, name), 0o755);
        fs.chmodSync(join(mount.mnt, name, 'file'), 0o666);
      }
      // From here on the kernel knows of no name whether it is there.
      await mount.unmount();
      await mount.mount();
      const audit = new Audit(mount);
      await audit.run('stat', [audit.path('')], 'user');
      for (const script of [
        'echo x >> "$MNT/closed/file"',
        // With O_EXCL it fails, and not for lack of a permission.
        'dd conv=excl if=/dev/null of="$MNT/searched/file"',
        'echo x > "$MNT/.lustre"',
        'echo x > "$MNT/listed/new"',
      ]) {
        await audit.run('bash', ['-c', script], 'user');
      }
      assert.equal(
        (await audit.told()).map((line) => line.replace(/ by .*/, '')),
        ['open closed/file w', 'close closed/file w', 'denied listed/ w creat trunc errno 13'],
      );
      audit.close();
    }));

  test('a creation that is denied is told of while the program goes on with something else', () =>
    withAudit(async (audit) => {
      const script = 'for i in 1 2 3; do echo x > "$MNT/new"; done; exec sleep 60';
      const running = spawn('bash', ['-c', script], {
        ...USER,
        ...{ env: { MNT: audit.mount.mnt, PATH: '/usr/bin:/bin' }, stdio: 'ignore', cwd: '/' },
      });
      try {
        const count = () =>
          audit.lines().reduce((sum, { access }) => sum + Math.max(1, access.repeated), 0);
        await until(() => count() >= 3, 'all three of them');
        assert.is(count(), 3);
        assert.ok(audit.lines().every(({ op, access }) => op === 'denied' && access.errno === 13));
      } finally {
        running.kill();
      }
    }));

  test('a file that may not be run, not even by root', () =>
    withAudit(async (audit) => {
      await audit.run('env', [audit.path('script')], 'user');
      assert.equal(await audit.told(), [`denied script r exec errno 13 by env.${NOBODY}`]);
      await audit.run('env', [audit.path('script')]);
      assert.equal(await audit.told(), ['denied script r exec errno 13 by env.0']);
      await audit.run('env', [audit.path('closed/file')], 'user');
      assert.equal(await audit.told(), [`denied closed/ r exec errno 13 by env.${NOBODY}`]);
    }));

  test('an ACL denies and allows as the mode does', () =>
    withAudit(async (audit) => {
      await run('setfacl', ['-m', `u:${NOBODY}:r`, audit.path('private')]);
      await audit.run('cat', [audit.path('private')], 'user');
      assert.equal(await audit.told(), [
        `open private r by cat.${NOBODY}`,
        `close private r by cat.${NOBODY}`,
      ]);
      await run('setfacl', ['-m', `u:${NOBODY}:-`, audit.path('public')]);
      await audit.run('cat', [audit.path('public')], 'user');
      assert.equal(await audit.told(), [`denied public r errno 13 by cat.${NOBODY}`]);
    }));

  test('what is denied and no open is not told: stat, access, chdir, unlink, truncate', () =>
    withAudit(async (audit) => {
      for (const script of [
        'stat "$MNT/private"',
        'stat "$MNT/closed/file"',
        'test -r "$MNT/private"',
        'test -x "$MNT/script"',
        'cd "$MNT/closed"',
        'rm -f "$MNT/private"',
        'mkdir "$MNT/new"',
        'mv "$MNT/private" "$MNT/new"',
        'chmod 777 "$MNT/private"',
        'cat "$MNT/searched/none"',
      ]) {
        await audit.run('sh', ['-c', script], 'user');
        assert.equal(await audit.told(), [], script);
      }
    }));

  test('many who are denied at the same time are all told of', () =>
    withAudit(async (audit) => {
      const [programs, opens] = [4, 300];
      const loop = `i=0; while [ $i -lt ${opens} ]; do { : < "$MNT/private"; } 2>&-; i=$((i+1)); done`;
      // Not sh itself, which a redirection that fails would end.
      const all = Array.from({ length: programs }, () => audit.run('bash', ['-c', loop], 'user'));
      await Promise.all(all);
      const count = () =>
        audit.lines().reduce((sum, { access }) => sum + Math.max(1, access.repeated), 0);
      await until(() => count() >= programs * opens, 'all of them');
      assert.is(count(), programs * opens);
      assert.ok(audit.lines().every(({ op, access }) => op === 'denied' && access.errno === 13));
    }));
} else {
  test.skip('denied opens of root and of another user (needs root)', () => {});
}

test.run();
