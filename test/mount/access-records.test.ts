/** What real programs open, close and read the attributes of, and exactly what a feed that asks is told. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withMount } from '../support/mount.js';
import { run, runOk, until } from '../support/processes.js';
import {
  Audit,
  CAPABILITY,
  type Line,
  NOBODY,
  prepare,
  READ_BYTES,
  withAudit,
} from './audit-fixture.js';

const { O_RDONLY, O_NONBLOCK } = fs.constants;

if (process.getuid?.() === 0) {
  test('opens, closes and reads of attributes, of files and directories', () =>
    withAudit(async (audit) => {
      await audit.run('cat', [audit.path('public')]);
      assert.equal(await audit.told(), ['open public r by cat.0', 'close public r by cat.0']);
      await audit.run('ls', [audit.path('closed')]);
      assert.equal(await audit.told(), [
        'open closed/ r directory by ls.0',
        'close closed/ r directory by ls.0',
      ]);
      await audit.run('sh', ['-c', 'echo more > "$MNT/new"; echo less > "$MNT/new"']);
      assert.equal(await audit.told(), [
        'open new w creat trunc by sh.0',
        'close new w creat trunc by sh.0',
        'open new w trunc by sh.0',
        'close new w trunc by sh.0',
      ]);
      await audit.run('getfattr', ['-n', 'user.tag', audit.path('public')]);
      await audit.run('getfattr', ['-n', 'user.none', audit.path('public')]);
      assert.equal(await audit.told(), ['getxattr public user.tag by getfattr.0']);
      await audit.run('cat', [audit.path('public')], 'user');
      assert.equal(await audit.told(), [
        `open public r by cat.${NOBODY}`,
        `close public r by cat.${NOBODY}`,
      ]);
    }));

  test('a program that is run', () =>
    withAudit(async (audit) => {
      fs.chmodSync(audit.path('script'), 0o755);
      await audit.run(audit.path('script'), []);
      // The kernel opens it to run it, and the shell to read it; the former asks for its capabilities.
      assert.equal((await audit.told()).map((line) => line.replace(/ by .*/, '')).sort(), [
        'close script r',
        'close script r exec',
        'open script r',
        'open script r exec',
      ]);
    }));

  test('a program with capabilities: the kernel reads them for itself, a user is told of', () =>
    withAudit(async (audit) => {
      fs.copyFileSync('/usr/bin/true', audit.path('new'));
      fs.chmodSync(audit.path('new'), 0o755);
      const none = `0x00000002${'00'.repeat(16)}`;
      await run('setfattr', ['-n', CAPABILITY, '-v', none, audit.path('new')]);
      await audit.told();
      await audit.run('env', [audit.path('new')], 'user');
      assert.equal(await audit.told(), [
        `open new r exec by env.${NOBODY}`,
        `close new r exec by env.${NOBODY}`,
      ]);
      await audit.run('getfattr', ['-n', CAPABILITY, audit.path('new')]);
      assert.equal(await audit.told(), [`getxattr new ${CAPABILITY} by getfattr.0`]);
    }));

  test('marks of an overlay: overlayfs reads them for itself, a user is told of', () =>
    withAudit(async (audit) => {
      const lower = audit.path('searched');
      const marks = ['trusted.overlay.opaque', 'user.overlay.opaque'];
      for (const mark of marks) await run('setfattr', ['-n', mark, '-v', 'y', lower]);
      const merged = join(audit.mount.folder, 'merged');
      fs.mkdirSync(merged);
      for (const option of ['', ',userxattr']) {
        const layers = `lowerdir=${lower}:${audit.path('listed')}${option}`;
        await runOk('mount', ['-t', 'overlay', 'overlay', '-o', layers, merged]);
        try {
          await audit.run('ls', ['-l', merged]);
        } finally {
          await runOk('umount', [merged]);
        }
      }
      assert.equal(
        (await audit.told()).filter((line) => line.startsWith('getxattr')),
        [],
      );
      for (const mark of marks) await audit.run('getfattr', ['-n', mark, lower]);
      assert.equal(await audit.told(), [
        `getxattr searched ${marks[0]} by getfattr.0`,
        `getxattr searched ${marks[1]} by getfattr.0`,
      ]);
    }));

  test('a feed that must not miss anything and has no room: no new files, and all can be deleted', () =>
    withMount(async (mount) => {
      await prepare(mount);
      const audit = new Audit(mount, '{"ops":["changes","accesses"]}');
      fs.writeFileSync(join(mount.feed('audit'), 'policy'), '{"minFree":"99%","then":"block"}');
      const codeOf = (flags: number, name: string): string | undefined => {
        try {
          fs.closeSync(fs.openSync(audit.path(name), flags));
          return undefined;
        } catch (error) {
          return (error as NodeJS.ErrnoException).code;
        }
      };
      const creates = fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_RDWR;
      assert.is(codeOf(creates, 'new'), 'ENOSPC');
      assert.is(codeOf(creates, 'new'), 'ENOSPC', 'and not EEXIST');
      assert.is(codeOf(fs.constants.O_WRONLY, 'public'), 'ENOSPC');
      assert.is(codeOf(O_RDONLY, 'public'), undefined);
      await runOk('rm', ['-r', audit.path('closed'), audit.path('listed')]);
      audit.close();
    }));

  test('nothing is told that nobody asks for', () =>
    withMount(async (mount) => {
      await prepare(mount);
      const changes = mount.feed('changes');
      const audit = new Audit(mount);
      audit.end();
      await audit.run('cat', [audit.path('public')]);
      await audit.run('cat', [audit.path('private')], 'user');
      const second = new Audit(mount);
      await second.run('cat', [audit.path('public')]);
      assert.equal(await second.told(), ['open public r by cat.0', 'close public r by cat.0']);
      second.close();
      const info = JSON.parse(fs.readFileSync(join(changes, 'info'), 'utf8')) as {
        owedRecords: string;
      };
      assert.is(info.owedRecords, '0');
    }));

  test('what was open before is not told to be closed', () =>
    withMount(async (mount) => {
      await prepare(mount);
      const early = fs.openSync(join(mount.mnt, 'public'), O_RDONLY);
      const audit = new Audit(mount);
      const late = fs.openSync(join(mount.mnt, 'private'), O_RDONLY);
      fs.closeSync(early);
      fs.closeSync(late);
      assert.equal(
        (await audit.told()).map((line) => line.replace(/ by .*/, '')),
        ['open private r', 'close private r'],
      );
      audit.close();
    }));

  test('a flood is a few records, which tell how many accesses they stand for', () =>
    withAudit(async (audit) => {
      const opens = 500;
      const script = `i=0; while [ $i -lt ${opens} ]; do : < "$MNT/public"; i=$((i+1)); done`;
      await audit.run('sh', ['-c', script]);
      const count = (op: string): number =>
        audit
          .lines()
          .filter((line) => line.op === op)
          .reduce((sum, { access }) => sum + Math.max(1, access.repeated), 0);
      await until(() => count('open') >= opens && count('close') >= opens, 'all of them');
      assert.equal([count('open'), count('close')], [opens, opens]);
      assert.ok(audit.lines().length < opens / 5, `${audit.lines().length} records`);
    }));

  test('an unmount tells of what was counted', () =>
    withMount(async (mount) => {
      await prepare(mount);
      const audit = new Audit(mount);
      await audit.run('sh', ['-c', ': < "$MNT/public"; : < "$MNT/public"; : < "$MNT/public"']);
      audit.close();
      await mount.unmount();
      await mount.mount();
      const reader = fs.openSync(join(mount.feed('audit'), 'stream.ndjson'), O_RDONLY | O_NONBLOCK);
      const buffer = Buffer.alloc(READ_BYTES);
      const text = buffer.toString('utf8', 0, fs.readSync(reader, buffer));
      fs.closeSync(reader);
      const lines = text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Line);
      const told = lines.map(({ op, access }) => `${op} ${access.repeated}`);
      assert.equal(told, ['open 0', 'close 0', 'open 2', 'close 2']);
    }));
} else {
  test.skip('access records of root and of another user (needs root)', () => {});
}

test.run();
