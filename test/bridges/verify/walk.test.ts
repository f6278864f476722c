/** What a walk does where trees are odd, hostile, or change under it. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withFolder } from '../../support/mount.js';
import { detach } from '../../support/mounts.js';
import { runOk } from '../../support/processes.js';
import { brief, findings, makeSmallTree, setTimes, setXattr } from './compare.js';

const GIB = 2 ** 30;

/** Two equal trees, and their folder. */
function withTrees(use: (a: string, b: string, folder: string) => void | Promise<void>) {
  return withFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    for (const root of [a, b]) makeSmallTree(root);
    await use(a, b, folder);
  });
}

test('what is left out is not told', () =>
  withTrees(async (a, b) => {
    fs.chmodSync(join(b, 'nothing'), 0o600);
    fs.chownSync(join(b, 'nothing'), 1, 2);
    fs.rmSync(join(b, 'd/linked'));
    fs.writeFileSync(join(b, 'd/linked'), 'contents of d/filE');
    setXattr(join(b, 'single'), 'user.a', '');
    setXattr(join(b, 'single'), 'user.ab', '');
    const all = brief(await findings(a, b, ['mtime']));
    assert.equal(all, [
      'd/linked link',
      'd/linked contents',
      'nothing mode',
      'nothing uid',
      'nothing gid',
      'single xattr user.a',
      'single xattr user.ab',
    ]);
    const without = async (...words: string[]) => brief(await findings(a, b, ['mtime', ...words]));
    assert.equal(await without('owner', 'mode', 'contents'), [all[0], all[5], all[6]]);
    assert.equal(await without('links', 'xattrs', 'owner', 'mode'), [all[1]]);
    assert.equal((await without('xattr:user.a')).slice(-1), [all[6]]);
    assert.equal((await without('xattr:user.a*')).slice(-1), [all[4]]);
    assert.ok((await findings(a, b)).length > all.length);
  }));

test('a word that is none is refused', async () => {
  for (const word of ['time', '', 'constructor', 'xattr']) {
    const message = await findings('/', '/', [word]).catch((error: unknown) => String(error));
    assert.match(String(message), /is none of contents, links/);
  }
});

test('symlinks are not followed, neither out of a tree nor round in it', () =>
  withTrees(async (a, b, folder) => {
    for (const [root, outside] of [
      [a, 'one'],
      [b, 'two'],
    ] as const) {
      fs.mkdirSync(join(folder, outside));
      fs.writeFileSync(join(folder, outside, 'file'), outside);
      fs.symlinkSync('.', join(root, 'round'));
      fs.symlinkSync('../elsewhere', join(root, 'out'));
      setTimes(root);
    }
    fs.symlinkSync('one', join(folder, 'elsewhere'));
    assert.equal(await findings(a, b), []);
  }));

test('paths longer than the longest that the kernel takes are compared', () =>
  withFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    const bottoms = [a, b].map((root) => makeDeep(root, 60, 'n'.repeat(200)));
    assert.equal(await findings(a, b, ['mtime']), []);
    fs.writeFileSync(bottoms[1] ?? '', 'Bottom');
    const [first, ...rest] = await findings(a, b, ['mtime']);
    assert.is(rest.length, 0);
    assert.is(first?.path.length, 60 * 201 + 'bottom'.length);
    // Node cannot remove what has no path.
    await runOk('rm', ['-rf', a, b]);
  }));

/** Directories in one another; the path of a file at the bottom that works as long as this process runs. */
function makeDeep(root: string, levels: number, name: string): string {
  fs.mkdirSync(root);
  let fd = fs.openSync(root, 'r');
  for (let level = 0; level < levels; level++) {
    const below = `/proc/self/fd/${fd}/${name}`;
    fs.mkdirSync(below);
    const next = fs.openSync(below, 'r');
    fs.closeSync(fd);
    fd = next;
  }
  const bottom = `/proc/self/fd/${fd}/bottom`;
  fs.writeFileSync(bottom, 'bottom');
  return bottom;
}

test('names that are no text, in the order of their bytes', () =>
  withTrees(async (a, b) => {
    for (const byte of [0xff, 0x80, 0x01, 0x0a]) {
      fs.writeFileSync(Buffer.concat([Buffer.from(`${a}/e/`), Buffer.from([byte])]), '');
    }
    const found = brief(await findings(a, b, ['mtime']));
    assert.equal(found, ['e/\x01 name', 'e/\n name', 'e/\x80 name', 'e/\xff name']);
  }));

test('of files that are mostly holes, only data are read', () =>
  withTrees(async (a, b) => {
    for (const root of [a, b]) {
      fs.writeFileSync(join(root, 'sparse'), 'start');
      fs.truncateSync(join(root, 'sparse'), 1024 * GIB);
      setTimes(root);
    }
    assert.equal(await findings(a, b), []);
    const fd = fs.openSync(join(b, 'sparse'), 'r+');
    fs.writeSync(fd, 'x', 700 * GIB + 3);
    fs.closeSync(fd);
    setTimes(b);
    const [difference] = await findings(a, b);
    assert.ok(difference?.kind === 'difference');
    assert.is(difference.offset, 700 * GIB + 3);
  }));

test('zeros and a hole are the same contents', () =>
  withTrees(async (a, b) => {
    for (const root of [a, b]) fs.writeFileSync(join(root, 'zeros'), '');
    fs.truncateSync(join(a, 'zeros'), 3_000_000);
    fs.writeFileSync(join(b, 'zeros'), Buffer.alloc(3_000_000));
    assert.equal(await findings(a, b, ['mtime']), []);
  }));

test('a directory in which something comes or goes meanwhile is trouble', () =>
  withTrees(async (a, b) => {
    fs.chmodSync(join(a, 'd/file'), 0o600);
    const found = await findings(a, b, [], ({ path }) => {
      if (path === 'd/file') fs.writeFileSync(join(b, 'd/late'), '');
    });
    assert.equal(brief(found), ['d/file mode', 'd trouble']);
  }));

test('what goes away after it was listed is trouble, and the rest is compared', () =>
  withTrees(async (a, b) => {
    fs.chmodSync(a, 0o700);
    fs.chmodSync(join(b, 'nothing'), 0o600);
    const found = await findings(a, b, ['mtime'], (finding) => {
      if (finding.kind !== 'difference' || finding.path !== '.') return;
      fs.rmSync(join(a, 'large'));
      fs.rmSync(join(b, 'd'), { recursive: true });
    });
    const expected = ['. mode', 'd trouble', 'large trouble', 'nothing mode'];
    assert.equal(brief(found).slice(0, 4), expected);
  }));

test('another filesystem that is mounted below is told, and compared', () =>
  withTrees(async (a, b) => {
    const mountpoint = join(b, 'd/empty');
    await runOk('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', mountpoint]);
    try {
      fs.writeFileSync(join(mountpoint, 'inside'), '');
      const found = brief(await findings(a, b, ['mtime']));
      assert.equal(found, ['d/empty mount', 'd/empty/inside name']);
    } finally {
      detach(mountpoint);
    }
  }));

test('a root that is not there, or no directory, is an error of its own', () =>
  withTrees(async (a) => {
    for (const [name, code] of [
      ['gone', 'ENOENT'],
      ['single', 'ENOTDIR'],
    ] as const) {
      for (const roots of [
        [a, join(a, name)],
        [join(a, name), a],
      ] as const) {
        const error = await findings(...roots).catch((failure: unknown) => failure);
        assert.is((error as NodeJS.ErrnoException).code, code);
      }
    }
  }));

test('no descriptor stays open, whether all was compared or not', () =>
  withTrees(async (a, b) => {
    const open = () => fs.readdirSync('/proc/self/fd').length;
    const before = open();
    fs.chmodSync(join(b, 'd/file'), 0o600);
    await findings(a, b);
    const stop = new Error('enough');
    await findings(a, b, [], () => {
      throw stop;
    }).catch((error: unknown) => assert.is(error, stop));
    await findings(a, join(b, 'gone')).catch(() => {});
    assert.is(open(), before);
  }));

test.run();
