/** A store whose disk is, or becomes, read-only: what is refused, what is kept, and what goes on afterwards. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { feedfs, TestMount, withFolder } from '../support/mount.js';
import { isMounted } from '../support/mounts.js';
import { runOk } from '../support/processes.js';
import { CHANGES, errnoOf, prepareFor } from './every-change.js';
import { ReplayMount } from './replay-mount.js';

const IMAGE_BYTES = 128 * 2 ** 20;

/** A mount whose store is on an ext4 of its own, in an image. */
async function withImage(use: (mount: TestMount, image: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const mount = new TestMount(folder, {});
    const image = join(folder, 'image');
    fs.mkdirSync(mount.store);
    fs.writeFileSync(image, '');
    fs.truncateSync(image, IMAGE_BYTES);
    await runOk('mkfs.ext4', ['-q', '-F', image]);
    await runOk('mount', ['-o', 'loop', image, mount.store]);
    const release = (): void => {
      mount.abandon();
      spawnSync('umount', ['-l', mount.store], { stdio: 'ignore' });
    };
    process.on('exit', release);
    try {
      await use(mount, image);
    } finally {
      process.off('exit', release);
      await mount.destroy();
      release();
    }
  });
}

/** What ext4 does by itself on a disk error: nothing is written any more, and nothing can be. */
async function becomeReadOnly(store: string): Promise<void> {
  await runOk('mount', ['-o', 'remount,abort', store]);
}

function fsync(path: string): void {
  const fd = fs.openSync(path, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Whether this machine has loop devices and ext4. */
function canLoop(): boolean {
  if (process.getuid?.() !== 0 || !fs.existsSync('/dev/loop-control')) return false;
  const has = spawnSync('sh', ['-c', 'command -v mkfs.ext4 && losetup -f'], { stdio: 'ignore' });
  return has.status === 0;
}

const onImage = canLoop() ? test : test.skip;

onImage(
  'a store on a read-only disk is refused in one line, and works when it can be written',
  () =>
    withImage(async (mount) => {
      await mount.mount();
      fs.writeFileSync(join(mount.mnt, 'file'), 'contents');
      await mount.unmount();
      await runOk('mount', ['-o', 'remount,ro', mount.store]);
      const { code, stderr } = await feedfs(['mount', mount.store, mount.mnt]);
      assert.is.not(code, ExitCode.OK);
      assert.not.ok(isMounted(mount.mnt));
      assert.is(stderr.trimEnd().split('\n').length, 1, stderr);
      assert.match(stderr, /read-only/i);
      assert.not.match(stderr, 'bug');
      await runOk('mount', ['-o', 'remount,rw', mount.store]);
      await mount.mount();
      assert.is(fs.readFileSync(join(mount.mnt, 'file'), 'utf8'), 'contents');
      await mount.unmount();
    }),
);

onImage('the disk of a mounted store cannot be made read-only by an ordinary remount', () =>
  withImage(async (mount) => {
    await mount.mount();
    const { status } = spawnSync('mount', ['-o', 'remount,ro', mount.store], { stdio: 'ignore' });
    assert.is.not(status, 0);
    fs.writeFileSync(join(mount.mnt, 'file'), 'contents');
    await mount.unmount();
  }),
);

onImage(
  'a disk that turns read-only: EROFS, all can be read, and what was synced is there again',
  () =>
    withImage(async (mount, image) => {
      await mount.mount();
      const replay = new ReplayMount(mount);
      const file = join(mount.mnt, 'file');
      replay.begin();
      prepareFor(mount.mnt);
      for (const name of ['file', 'kept', 'victim', 'large', '.']) fsync(join(mount.mnt, name));
      await becomeReadOnly(mount.store);
      // One change may be taken before the first commit fails; it is not synced, so not promised.
      errnoOf(() => fs.mkdirSync(join(mount.mnt, 'unsynced')));
      assert.is(
        errnoOf(() => fsync(mount.mnt)),
        'EROFS',
      );
      for (const change of CHANGES) {
        // Bytes of a small file are only refused when they are to be on disk.
        const code = errnoOf(() => change.run(mount.mnt)) ?? errnoOf(() => fsync(file));
        assert.is(code, 'EROFS', change.name);
      }
      assert.is(fs.readFileSync(join(mount.mnt, 'kept'), 'utf8'), 'kept');
      assert.is(fs.readFileSync(join(mount.mnt, 'large')).length, 300_000);
      assert.ok(fs.readdirSync(mount.mnt).length >= 7);
      await mount.unmount(ExitCode.FAILURE);
      assert.match(mount.log, /could not be saved \(EROFS\)/);
      assert.not.match(mount.log, 'bug');

      await runOk('umount', [mount.store]);
      await runOk('mount', ['-o', 'loop', image, mount.store]);
      await mount.mount();
      replay.quiesce();
      replay.check();
      assert.is(fs.readFileSync(join(mount.mnt, 'file'), 'utf8'), 'contents');
      fs.mkdirSync(join(mount.mnt, 'goes-on'));
      await mount.unmount();
      const report = await feedfs(['fsck', mount.store]);
      assert.is(report.code, ExitCode.OK, report.stdout.toString());
    }),
);

test.run();
