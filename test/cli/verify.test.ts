/** The verify command: what it prints, and how it ends. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { makeSmallTree, setTimes } from '../bridges/verify/compare.js';
import { runAsUser, userCanReadCheckout } from '../mount/ordinary-user.js';
import { makeOddTree } from '../programs/odd-tree.js';
import { lutimens } from '../support/libc.js';
import { feedfs, MAIN, withFolder, withMount } from '../support/mount.js';
import { runOk } from '../support/processes.js';

/** Runs the command in the folder of two equal trees. */
function withTrees(
  use: (folder: string, verify: (...args: string[]) => ReturnType<typeof feedfs>) => Promise<void>,
) {
  return withFolder(async (folder) => {
    for (const root of ['a', 'b']) makeSmallTree(join(folder, root));
    const verify = (...args: string[]) =>
      feedfs(['verify', ...args], { cwd: folder, env: { ...process.env, TZ: 'UTC' } });
    await use(folder, verify);
  });
}

test('equal trees: one line, exit 0', () =>
  withTrees(async (_folder, verify) => {
    const { code, stdout, stderr } = await verify('a', 'b');
    assert.is(stderr, '');
    assert.is(`${stdout}`, 'equal (17 objects, 2.4M of contents)\n');
    assert.is(code, ExitCode.OK);
    const without = await verify('a', 'b', '--no-contents', '--ignore', 'owner,xattr:user.x*');
    const ignored = 'not compared: owner, xattr:user.x*, contents';
    assert.is(`${without.stdout}`, `equal (17 objects, 0B of contents, ${ignored})\n`);
  }));

test('differences: one line each, at most so many, all counted; exit 16', () =>
  withTrees(async (folder, verify) => {
    const b = join(folder, 'b');
    fs.chmodSync(join(b, 'nothing'), 0o4600);
    fs.rmSync(join(b, 'fifo'));
    fs.writeFileSync(join(b, 'e/new\n'), '');
    fs.writeFileSync(join(b, 'single'), 'contents of sinGle');
    setTimes(b);
    lutimens(Buffer.from(join(b, 'symlink')), 0n, -1n);
    const { code, stdout, stderr } = await verify('a', 'b');
    assert.is(stderr, '');
    assert.equal(`${stdout}`.split('\n'), [
      'e/new\\x0a: only in B (file)',
      'fifo: only in A (fifo)',
      'nothing: mode 0644 / 4600',
      'single: contents differ from byte 15 on',
      'symlink: mtime 2009-02-13 23:31:30.123456789 / 1969-12-31 23:59:59.999999999',
      '5 differences (18 objects, 2.4M of contents)',
      '',
    ]);
    assert.is(code, ExitCode.DIFFERENT);
    const few = `${(await verify('a', 'b', '--max', '2')).stdout}`.split('\n');
    assert.is(few.length, 5);
    assert.is(few[2], 'and 3 more differences');
    const none = await verify('a', 'b', '--max', '0');
    assert.is(`${none.stdout}`, '5 differences (18 objects, 2.4M of contents)\n');
    assert.is(none.code, ExitCode.DIFFERENT);
  }));

test('--json: one object per line, the verdict last', () =>
  withTrees(async (folder, verify) => {
    const b = join(folder, 'b');
    fs.chmodSync(join(b, 'nothing'), 0o600);
    fs.writeFileSync(join(b, 'single'), 'contents of sinGle');
    setTimes(b);
    fs.writeFileSync(Buffer.from(`${b}/\xff`, 'latin1'), '');
    const { code, stdout } = await verify('a', 'b', '--json', '--ignore', 'mtime', '--max', '2');
    const lines = `${stdout}`
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    const event = 'difference';
    assert.equal(lines, [
      { event, path: 'nothing', property: 'mode', a: '0644', b: '0600' },
      { event, path: 'single', property: 'contents', offset: '15' },
      {
        ...{ event: 'done', equal: false, differences: 3, errors: 0, objects: 18 },
        ...{ bytes: '2500074', ignored: ['mtime'] },
      },
    ]);
    assert.is(code, ExitCode.DIFFERENT);
  }));

test('a command line that is wrong, and roots that are none', () =>
  withTrees(async (_folder, verify) => {
    const wrong = await verify('a', 'b', '--ignore', 'time');
    assert.is(wrong.code, ExitCode.USAGE);
    assert.match(wrong.stderr, /--ignore: "time" is none of contents, links, mode/);
    for (const root of ['gone', 'a/single']) {
      const { code, stdout, stderr } = await verify('a', root);
      assert.is(code, ExitCode.FAILURE);
      assert.is(stdout.length, 0);
      assert.match(stderr, /^feedfs: \S+ (does not exist|is no directory)\n$/);
    }
  }));

test('what may not be read is named, and makes it a failure', () =>
  withTrees(async (folder) => {
    if (!(await userCanReadCheckout())) return;
    fs.chmodSync(join(folder, 'b/d'), 0o700);
    fs.chmodSync(join(folder, 'b/large'), 0o600);
    const args = [MAIN, 'verify', 'a', 'b', '--ignore', 'mode,mtime,xattrs'];
    const result = await runAsUser(process.execPath, args, folder);
    assert.equal(result.stderr.split('\n'), [
      'feedfs: d: in b cannot be read (EACCES: open)',
      'feedfs: large: in b cannot be read (EACCES: open)',
      'feedfs: single: in a cannot be read (EACCES: open)',
      '',
    ]);
    assert.match(`${result.stdout}`, /^3 errors: not all could be compared \(/);
    assert.is(result.code, ExitCode.FAILURE);
  }));

test('a mounted feedfs, with one of everything in it, against a copy on the disk', () =>
  withMount(async ({ mnt, folder }) => {
    const copy = join(folder, 'copy');
    makeOddTree(join(mnt, 'odd'));
    await runOk('cp', ['-a', join(mnt, 'odd'), copy]);
    const { code, stdout, stderr } = await feedfs(['verify', join(mnt, 'odd'), copy]);
    assert.is(code, ExitCode.OK, `${stdout}${stderr}`);
    assert.match(`${stdout}`, /^equal \(/);
    fs.appendFileSync(join(mnt, 'odd/links/first'), '!');
    assert.is((await feedfs(['verify', join(mnt, 'odd'), copy])).code, ExitCode.DIFFERENT);
    // `.lustre` is not listed, and so no part of what is compared.
    fs.mkdirSync(join(folder, 'whole'));
    await runOk('cp', ['-a', `${mnt}/.`, join(folder, 'whole')]);
    assert.is((await feedfs(['verify', mnt, join(folder, 'whole')])).code, ExitCode.OK);
  }));

test.run();
