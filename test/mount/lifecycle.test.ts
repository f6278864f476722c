/** Mounting, unmounting, dying, and what is there afterwards. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withFile } from '../posix/case.js';
import { getxattr, setxattr } from '../posix/libc.js';
import { feedfs, withMount } from '../support/mount.js';
import { isMounted } from '../support/mounts.js';
import { openDescriptors, runOk, signalPid, until } from '../support/processes.js';

test('a tree survives an orderly unmount', () =>
  withMount(async (mount) => {
    const dir = join(mount.mnt, 'dir');
    fs.mkdirSync(dir, 0o750);
    fs.writeFileSync(join(dir, 'small'), 'small', { mode: 0o600 });
    fs.writeFileSync(join(dir, 'large'), Buffer.alloc(300_000, 7));
    fs.symlinkSync('small', join(dir, 'link'));
    fs.linkSync(join(dir, 'small'), join(dir, 'second'));
    setxattr(join(dir, 'small'), 'user.name', Buffer.from('value'));
    const before = fs.statSync(join(dir, 'small'), { bigint: true });
    await mount.remount();
    const after = fs.statSync(join(dir, 'small'), { bigint: true });
    assert.equal(fs.readdirSync(dir).sort(), ['large', 'link', 'second', 'small']);
    assert.is(fs.statSync(dir).mode & 0o7777, 0o750);
    assert.is(fs.readFileSync(join(dir, 'link'), 'utf8'), 'small');
    assert.ok(fs.readFileSync(join(dir, 'large')).equals(Buffer.alloc(300_000, 7)));
    assert.is(getxattr(join(dir, 'small'), 'user.name').toString(), 'value');
    for (const key of ['ino', 'mode', 'nlink', 'size', 'mtimeNs', 'ctimeNs'] as const) {
      assert.is(after[key], before[key], key);
    }
  }));

test('what fsync acknowledged survives SIGKILL', () =>
  withMount(async (mount) => {
    for (let round = 0; round < 5; round++) {
      const path = join(mount.mnt, `file-${round}`);
      const fd = fs.openSync(path, 'w');
      fs.writeSync(fd, Buffer.alloc(20_000 * round + 10, round));
      fs.fsyncSync(fd);
      fs.closeSync(fd);
      await mount.kill('SIGKILL');
      await mount.mount();
      for (let i = 0; i <= round; i++) {
        const contents = fs.readFileSync(join(mount.mnt, `file-${i}`));
        assert.ok(contents.equals(Buffer.alloc(20_000 * i + 10, i)), `file-${i} in round ${round}`);
      }
    }
  }));

test('a file that was deleted while open is gone after a crash', () =>
  withMount(async (mount) => {
    const path = join(mount.mnt, 'orphan');
    fs.writeFileSync(path, Buffer.alloc(100_000));
    const fd = fs.openSync(path, 'r');
    fs.unlinkSync(path);
    assert.is(fs.fstatSync(fd).size, 100_000);
    // Without this the crash might take the deletion back.
    withFile(mount.mnt, 'r', (dir) => fs.fsyncSync(dir));
    await mount.kill('SIGKILL');
    try {
      fs.closeSync(fd);
    } catch {
      // The mount behind the descriptor is dead.
    }
    await mount.mount();
    assert.not(fs.existsSync(path));
  }));

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} unmounts and ends the daemon well`, () =>
    withMount(async (mount) => {
      fs.writeFileSync(join(mount.mnt, 'file'), 'kept');
      const { pid } = mount;
      signalPid(pid, signal);
      await until(() => !isMounted(mount.mnt), `the unmount after ${signal}`);
      await mount.kill(signal);
      await mount.mount();
      assert.is(fs.readFileSync(join(mount.mnt, 'file'), 'utf8'), 'kept');
    }));
}

test('a store that another daemon has open is refused, with its pid', () =>
  withMount(async (mount) => {
    const other = join(mount.folder, 'other');
    fs.mkdirSync(other);
    const result = await feedfs(['mount', mount.store, other, '-f']);
    assert.is.not(result.code, 0);
    assert.match(result.stderr, new RegExp(`\\b${mount.pid}\\b`));
    fs.writeFileSync(join(mount.mnt, 'file'), 'the first one goes on');
  }));

test('the daemon keeps no descriptor of what was closed', () =>
  withMount(async (mount) => {
    const work = () => {
      for (let i = 0; i < 100; i++) {
        fs.writeFileSync(join(mount.mnt, `f-${i}`), Buffer.alloc(50_000));
        fs.readFileSync(join(mount.mnt, `f-${i}`));
        fs.unlinkSync(join(mount.mnt, `f-${i}`));
      }
    };
    work();
    const before = openDescriptors(mount.pid).size;
    work();
    work();
    const count = () => openDescriptors(mount.pid).size;
    // RELEASE comes after close(2) has returned.
    await until(() => count() <= before + 2, 'the descriptors to be closed');
  }));

test('.lustre is there by name and in no listing', () =>
  withMount((mount) => {
    assert.equal(fs.readdirSync(mount.mnt), []);
    assert.ok(fs.statSync(join(mount.mnt, '.lustre')).isDirectory());
    assert.ok(fs.statSync(join(mount.mnt, '.lustre', 'feeds')).isDirectory());
    assert.throws(() => fs.rmdirSync(join(mount.mnt, '.lustre')));
    assert.throws(() => fs.writeFileSync(join(mount.mnt, '.lustre'), ''));
    assert.throws(() => fs.writeFileSync(join(mount.mnt, '.lustre', 'file'), ''));
  }));

test('a file opens by its FID, which a record names', () =>
  withMount(async (mount) => {
    const feed = mount.feed('f');
    fs.writeFileSync(join(mount.mnt, 'file'), 'by number');
    const info = () => JSON.parse(fs.readFileSync(join(feed, 'info'), 'utf8'));
    await until(() => Number(info().owedRecords) > 0, 'the record');
    const fd = fs.openSync(
      join(feed, 'stream.ndjson'),
      fs.constants.O_RDONLY | fs.constants.O_NONBLOCK,
    );
    const buffer = Buffer.alloc(65_536);
    const text = buffer.toString('utf8', 0, fs.readSync(fd, buffer));
    fs.closeSync(fd);
    const { fid } = JSON.parse(text.split('\n')[0] ?? '') as { fid: string };
    const path = join(mount.mnt, '.lustre', 'fid', fid);
    assert.is(fs.readFileSync(path, 'utf8'), 'by number');
    fs.renameSync(join(mount.mnt, 'file'), join(mount.mnt, 'moved'));
    assert.is(fs.readFileSync(path, 'utf8'), 'by number');
    assert.throws(() =>
      fs.statSync(join(mount.mnt, '.lustre', 'fid', '[0x200000401:0xfffff:0x0]')),
    );
  }));

test('the daemon sleeps while nothing happens', () =>
  withMount(async (mount) => {
    fs.writeFileSync(join(mount.mnt, 'file'), 'x');
    const ticks = () => {
      const stat = fs.readFileSync(`/proc/${mount.pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(fields[11]) + Number(fields[12]);
    };
    await runOk('sleep', ['1']);
    const before = ticks();
    // The one place where time itself is what is tested.
    await runOk('sleep', ['2']);
    // Ticks are 10 ms: two of 200 are at most 1 % of a core.
    assert.ok(ticks() - before <= 2, `${ticks() - before} ticks in two seconds`);
  }));

test.run();
