/** A store of format 1 is mounted: its files, hard links and feeds, and what goes on with them. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { fsckStore } from '../../src/mds/fsck.js';
import { StoreError } from '../../src/store/errors.js';
import { Store } from '../../src/store/store.js';
import { pathsOf } from '../../src/store/store-directory.js';
import { type Frozen, readFrozen, thaw } from '../support/frozen-store.js';
import { TestMount, withFolder } from '../support/mount.js';
import { runOk } from '../support/processes.js';
import { projectRoot } from '../support/project-root.js';
import { read, withReader } from './feed-fixture.js';

const asRoot = process.getuid?.() === 0 ? test : test.skip;
const FROZEN = readFrozen(join(projectRoot(), 'test/formats/format-1.json.gz'));
const UPGRADE_CHILD = fileURLToPath(new URL('../store/upgrade-child.js', import.meta.url));
const MIB = 2 ** 20;

function attributesOf({ tree }: Frozen, path: string): { nlink: number; mode: number } {
  const [, value] = must(
    tree.find(([known]) => known === path),
    path,
  );
  return value as { nlink: number; mode: number };
}

/** What read(2) gives until there is nothing more. */
function allOwed(file: string): Buffer {
  return withReader(file, (fd) => {
    const parts: Buffer[] = [];
    for (;;) {
      const part = read(fd, MIB);
      if (typeof part === 'string' || part.length === 0) return Buffer.concat(parts);
      parts.push(part);
    }
  });
}

test('the files are there, hard links go on, and the feeds owe what they did', () =>
  withFolder(async (folder) => {
    const mount = new TestMount(folder, {});
    thaw(FROZEN, mount.store);
    try {
      await mount.mount();
      const { mnt } = mount;
      for (const [name, owed] of Object.entries(FROZEN.feeds)) {
        const file = join(mnt, '.lustre/feeds', name, 'stream');
        assert.is(allOwed(file).toString('base64'), owed, name);
      }
      assert.is(fs.readFileSync(join(mnt, 'large'), 'latin1').length, 20_000);
      const four = '/top/inner/four of four';
      assert.is(fs.statSync(join(mnt, four)).nlink, attributesOf(FROZEN, four).nlink);
      fs.rmSync(join(mnt, 'one of four'));
      fs.renameSync(join(mnt, 'top/inner'), join(mnt, 'inner'));
      fs.linkSync(join(mnt, 'inner/four of four'), join(mnt, 'fifth'));
      assert.is(fs.readlinkSync(join(mnt, 'symlink again')), 'three of four');
      await mount.unmount();
      assert.equal(fsckStore(mount.store).findings, []);
    } finally {
      await mount.destroy();
    }
  }));

/** Starts an upgrade and kills it before it is committed. */
function killInUpgrade(store: string): void {
  const { signal, stderr } = spawnSync(process.execPath, [UPGRADE_CHILD, store, '1']);
  assert.is(signal, 'SIGKILL', `${stderr}`);
}

for (const begun of [false, true]) {
  const which = begun ? 'an upgrade that was killed is not made again' : 'nothing is changed';
  asRoot(`without room for it ${which}, and with room it is upgraded`, () =>
    withFolder(async (folder) => {
      const store = join(folder, 'store');
      fs.mkdirSync(store);
      await runOk('mount', ['-t', 'tmpfs', '-o', `size=${MIB}`, 'tmpfs', store]);
      const release = (): void => void spawnSync('umount', ['-l', store], { stdio: 'ignore' });
      process.on('exit', release);
      try {
        thaw(FROZEN, store);
        if (begun) killInUpgrade(store);
        const fill = join(store, 'objects', 'fill');
        const { bavail, bsize } = fs.statfsSync(store);
        // LMDB's lock needs a little, and its tables where they are still to be made.
        const spare = begun ? 12 : 16;
        fs.writeFileSync(fill, Buffer.alloc(bavail * bsize - spare * bsize));
        fs.writeFileSync(join(store, 'objects', 'more'), Buffer.alloc(8 * bsize));
        assert.throws(
          () => Store.open(store, { create: false }),
          (error: unknown) =>
            error instanceof StoreError &&
            error.code === 'no-space' &&
            /MiB of free space to be upgraded/.test(error.message),
        );
        const { format } = JSON.parse(fs.readFileSync(pathsOf(store).identity, 'utf8'));
        assert.is(format, begun ? 2 : 1);
        fs.rmSync(fill);
        fs.rmSync(join(store, 'objects', 'more'));
        await Store.open(store, { create: false }).close();
        assert.equal(fsckStore(store).findings, []);
      } finally {
        process.off('exit', release);
        release();
      }
    }),
  );
}

test.run();
