/** `feedfs fsck` as a command: what it says, how wide, and how it ends. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { fidKey } from '../../src/store/keys.js';
import { pathsOf } from '../../src/store/store-directory.js';
import { runAsUser, userCanReadCheckout } from '../mount/ordinary-user.js';
import { cut, makeStore, tamper } from '../support/damage.js';
import { feedfs, MAIN, withFolder } from '../support/mount.js';

const COLUMNS = 80;
const asRoot = process.getuid?.() === 0 ? test : test.skip;

/** A store with some files, damaged as `damage` says. */
function withStore(
  damage: (store: string) => void | Promise<void>,
  use: (store: string) => Promise<void>,
): Promise<void> {
  return withFolder(async (folder) => {
    const store = join(folder, 'store');
    await makeStore(store, (bench) => {
      for (let i = 0; i < 100; i++) bench.file(`file ${i}`);
    });
    await damage(store);
    await use(store);
  });
}

const stray = (store: string): Promise<void> =>
  tamper(store, ({ inline }) => inline.put(fidKey(4_711), Buffer.from('of nobody')));

async function fsck(...args: readonly string[]) {
  const { code, stdout, stderr } = await feedfs(['fsck', ...args]);
  return { code, lines: stdout.toString().trimEnd().split('\n'), stderr };
}

test('a clean store: one word, what was looked at, and no line too wide', () =>
  withStore(
    () => {},
    async (store) => {
      for (const args of [[store], [store, '--repair']]) {
        const { code, lines } = await fsck(...args);
        assert.is(code, ExitCode.OK);
        assert.match(lines[0] ?? '', /^clean: \d+ counters, 101 inodes, /);
        for (const line of lines) assert.ok(line.length <= COLUMNS, line);
      }
    },
  ));

test('what is found is left as it is, until a repair is asked for', () =>
  withStore(stray, async (store) => {
    for (let i = 0; i < 2; i++) {
      const { code, lines } = await fsck(store);
      assert.is(code, ExitCode.FSCK_FOUND);
      assert.match(lines[0] ?? '', /^stray-value +contents of \[.*\] +belongs to no inode$/);
      assert.match(lines[1] ?? '', /^1 found: /);
    }
    const { code, lines } = await fsck(store, '--repair');
    assert.is(code, ExitCode.FSCK_MENDED);
    assert.match(lines[0] ?? '', /^stray-value .* belongs to no inode; taken out$/);
    assert.match(
      lines[1] ?? '',
      new RegExp(`^what was taken out is in ${store}/repair-\\d{8}T\\d{6}Z$`),
    );
    assert.match(lines[2] ?? '', /^1 mended: /);
    assert.is((await fsck(store)).code, ExitCode.OK);
  }));

test('what cannot be mended is told, with what to do', () =>
  withStore(
    async (store) => {
      await stray(store);
      cut(store, 5_000);
    },
    async (store) => {
      const { code, lines } = await fsck(store, '--repair');
      assert.is(code, ExitCode.FSCK_FOUND);
      assert.ok(lines.some((line) => line.startsWith('damaged-file: restore the store')));
      assert.match(lines.join('\n'), /^\d+ left$/m);
    },
  ));

test('--json has the findings, what was mended and where it is kept', () =>
  withStore(stray, async (store) => {
    const found = JSON.parse((await fsck(store, '--json')).lines[0] ?? '');
    assert.equal(Object.keys(found), ['findings', 'checked']);
    assert.is(found.findings[0].kind, 'stray-value');
    const mended = JSON.parse((await fsck(store, '--repair', '--json')).lines[0] ?? '');
    assert.equal(mended.findings, []);
    assert.is(mended.mended[0].kind, 'stray-value');
    assert.ok(fs.existsSync(join(mended.kept, 'rows.ndjson')));
    assert.is(mended.checked.inodes, 101);
    const clean = JSON.parse((await fsck(store, '--repair', '--json')).lines[0] ?? '');
    assert.equal([clean.mended, clean.findings, clean.kept], [[], [], null]);
  }));

test('what is no store is refused in a sentence', () =>
  withFolder(async (folder) => {
    const file = join(folder, 'file');
    fs.writeFileSync(file, '');
    const cases: readonly (readonly [string, RegExp])[] = [
      [join(folder, 'nx'), /\/nx does not exist$/],
      [file, /\/file is not a directory; name the directory of a store$/],
      [folder, /is not a feedfs store: it has no feedfs\.json$/],
    ];
    for (const [path, says] of cases) {
      const { code, stderr } = await fsck(path);
      assert.is(code, ExitCode.STORE_UNUSABLE);
      assert.match(stderr.trimEnd(), says);
      assert.not.match(stderr, /ENO/);
    }
  }));

asRoot('a store of another user is refused in a sentence', () =>
  withStore(
    (store) => fs.chmodSync(store, 0o700),
    async (store) => {
      if (!(await userCanReadCheckout())) return;
      const result = await runAsUser(process.execPath, [MAIN, 'fsck', store], '/');
      assert.is(result.code, ExitCode.FAILURE);
      assert.match(result.stderr, /may not be read by this user; run as the owner of the store/);
      assert.ok(fs.existsSync(pathsOf(store).identity));
    },
  ),
);

test.run();
