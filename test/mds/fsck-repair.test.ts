/** fsck --repair: every inconsistency that fsck knows is mended or said to stay, and nothing is thrown away. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { type Fid, formatFid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { fsckStore } from '../../src/mds/fsck.js';
import { type RepairReport, repairStore } from '../../src/mds/fsck-repair.js';
import { StoreError } from '../../src/store/errors.js';
import { fidKey } from '../../src/store/keys.js';
import { pathsOf } from '../../src/store/store-directory.js';
import { Bench, cut, tamper, withTemp } from '../support/damage.js';
import { FakeClock } from '../support/fake-clock.js';
import { CASES } from './fsck-cases.js';
import { withCaseStore } from './fsck-store.js';

/** What no repair can bring back. */
const STAYS: Readonly<Record<string, readonly string[]>> = {
  'a block that two feeds owe': ['missing-block'],
  'an entry of another type': ['bad-inode'],
  'contents that are missing, or not wanted': ['missing-contents'],
  'another generation of object file': ['missing-contents'],
};

const repair = (path: string): Promise<RepairReport> =>
  repairStore(path, { clock: new FakeClock() });

function kindsOf(findings: readonly { readonly kind: string }[]): string[] {
  return [...new Set(findings.map(({ kind }) => kind))].sort();
}

/** Names below a directory and what they lead to. */
function listing(bench: Bench, directory: Fid): [string, Fid | 0][] {
  const { dirents } = bench.server.namespace;
  return [...dirents.list(directory, 0, 1_000_000)].map(({ name, fid }) => [name, fid]);
}

for (const { what, change, kinds } of CASES) {
  test(`mends ${what}`, async () => {
    await withCaseStore(async (path, made) => {
      await tamper(path, (tables) => change(tables, made));
      const report = await repair(path);
      const stays = STAYS[what] ?? [];
      assert.equal(kindsOf(report.left.findings), stays);
      // Whatever was found at first is one or the other.
      const told = kindsOf([...report.mended, ...report.left.findings]);
      for (const kind of kinds) assert.ok(told.includes(kind), `${kind} of ${told}`);
      assert.equal(fsckStore(path).findings, report.left.findings);
      const again = await repair(path);
      assert.equal(again.mended, []);
      assert.is(again.kept, undefined);
      // A mount opens it, and goes on with it.
      const bench = new Bench(path);
      bench.file('after the repair');
      await bench.close();
      assert.equal(kindsOf(fsckStore(path).findings), stays);
    });
  });
}

test('a whole store is left as it is', async () => {
  await withCaseStore(async (path) => {
    const before = fs.readFileSync(pathsOf(path).data);
    const { mended, left, kept } = await repair(path);
    assert.equal([mended, left.findings, kept], [[], [], undefined]);
    assert.equal(fs.readFileSync(pathsOf(path).data), before);
  });
});

test('an object without a name gets one in lost+found, with all that is in it', async () => {
  await withCaseStore(async (path, { folder, inner, small }) => {
    await tamper(path, (tables) => {
      for (const key of [...tables.dirent.keys({})].map((found) => Buffer.from(found))) {
        const fid = Number(must(tables.dirent.get(key), 'entry').readBigUInt64LE(0));
        if (fid === inner) tables.dirent.remove(key);
      }
    });
    const { mended } = await repair(path);
    assert.equal(kindsOf(mended), ['entry-count', 'link-count', 'unreachable-inode']);
    const bench = new Bench(path);
    const top = new Map(listing(bench, ROOT_FID));
    const home = must(top.get('lost+found'), 'lost+found') as Fid;
    assert.equal(listing(bench, home), [[formatFid(inner), inner]]);
    assert.equal(listing(bench, inner), [['small', small]]);
    assert.is(bench.server.namespace.inode(inner).parent, home);
    assert.is(bench.server.namespace.inode(home).mode & 0o777, 0o700);
    // Its name there is like any other.
    bench.change({
      op: 'rename',
      parent: home,
      name: nameFromText(formatFid(inner)),
      newParent: folder,
      newName: nameFromText('inner'),
      flags: 0,
    });
    await bench.close();
    assert.equal(fsckStore(path).findings, []);
  });
});

test('where lost+found is something else, another name serves', async () => {
  await withCaseStore(async (path, { small }) => {
    const bench = new Bench(path);
    bench.file('lost+found');
    await bench.close();
    await tamper(path, (tables) => {
      const key = must(
        [...tables.dirent.keys({})]
          .map((found) => Buffer.from(found))
          .find((found) => {
            return Number(must(tables.dirent.get(found), 'entry').readBigUInt64LE(0)) === small;
          }),
        'the entry',
      );
      tables.dirent.remove(key);
    });
    await repair(path);
    const after = new Bench(path);
    assert.ok(listing(after, ROOT_FID).some(([name]) => name === 'lost+found.2'));
    await after.close();
  });
});

test('what is taken out is kept, as it was', async () => {
  await withCaseStore(async (path, { large }) => {
    const stray = Buffer.from('of nobody');
    await tamper(path, (tables) => tables.inline.put(fidKey(4_711), stray));
    const garbage = join('objects', '07', '1267.1');
    fs.mkdirSync(join(path, 'objects', '07'), { recursive: true });
    fs.writeFileSync(join(path, garbage), 'garbage');
    const { kept, mended } = await repair(path);
    assert.equal(kindsOf(mended), ['garbage-object', 'stray-value']);
    const folder = must(kept, 'a folder');
    assert.match(folder, /\/repair-20231114T221321Z$/);
    const [row = ''] = fs.readFileSync(join(folder, 'rows.ndjson'), 'utf8').split('\n');
    const { table, key, value, intact, kind } = JSON.parse(row);
    assert.equal([table, key, intact, kind], ['inline', '0000000000001267', true, 'stray-value']);
    assert.equal(Buffer.from(value, 'base64'), stray);
    assert.is(fs.readFileSync(join(folder, garbage), 'utf8'), 'garbage');
    assert.not.ok(fs.existsSync(join(path, garbage)));
    assert.ok(large > 0);
  });
});

test('a missing flush marker, and a missing folder of objects, are made', async () => {
  await withCaseStore(async (path) => {
    fs.rmSync(pathsOf(path).marker);
    assert.equal(kindsOf(fsckStore(path).findings), ['missing-file']);
    const { mended, left } = await repair(path);
    assert.equal(kindsOf(mended), ['missing-file']);
    assert.equal(left.findings, []);
    fs.rmSync(pathsOf(path).objects, { recursive: true });
    const again = await repair(path);
    assert.equal(kindsOf(again.mended), ['missing-file']);
    assert.equal(kindsOf(again.left.findings), ['missing-contents']);
  });
});

test('without the start of the environment nothing is touched', async () => {
  await withCaseStore(async (path) => {
    cut(path, 5_000);
    const before = fs.readFileSync(pathsOf(path).data);
    const { mended, left } = await repair(path);
    assert.equal(mended, []);
    assert.equal(kindsOf(left.findings), ['damaged-file']);
    assert.equal(fs.readFileSync(pathsOf(path).data), before);
  });
});

test('a store that is open is refused', async () => {
  await withTemp(async (folder) => {
    const bench = new Bench(join(folder, 'store'));
    let refused: unknown;
    await repair(join(folder, 'store')).catch((error: unknown) => {
      refused = error;
    });
    await bench.close();
    assert.ok(refused instanceof StoreError && refused.code === 'locked');
  });
});

test.run();
