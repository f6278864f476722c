/** fsck finds nothing in whole stores, and each inconsistency by its name. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { formatFid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { type FsckReport, fsckStore } from '../../src/mds/fsck.js';
import { fidKey } from '../../src/store/keys.js';
import { type Bench, makeStore, tamper, withTemp } from '../support/damage.js';
import { CASES, type Made } from './fsck-cases.js';

async function build(bench: Bench): Promise<Made> {
  await bench.call('feedCreate', { name: nameFromText('first') });
  const folder = bench.folder('folder');
  const inner = bench.folder('inner', folder.fid);
  const small = bench.file('small', inner.fid);
  bench.write(small, Buffer.from('contents'));
  bench.change({
    op: 'setxattr',
    fid: small.fid,
    name: nameFromText('user.x'),
    value: Buffer.from('value'),
    flags: 0,
  });
  const large = bench.file('large');
  bench.write(large, Buffer.alloc(20_000, 'x'));
  const linked = bench.file('linked');
  bench.change({ op: 'link', fid: linked.fid, parent: folder.fid, name: nameFromText('again') });
  bench.change({ op: 'symlink', parent: ROOT_FID, name: nameFromText('link'), target: 'folder' });
  await bench.settle();
  await bench.call('feedCreate', { name: nameFromText('second') });
  for (let i = 0; i < 700; i++) bench.file(`file${i}`, folder.fid);
  await bench.settle();
  // Some of the first records; the first feed has them alone.
  await bench.call('feedPunch', { id: 1, view: 'stream', offset: 200, length: 600 });
  const fids = { folder, inner, small, large, linked };
  return Object.fromEntries(
    Object.entries(fids).map(([name, { fid }]) => [name, fid]),
  ) as unknown as Made;
}

async function withStore(use: (path: string, made: Made) => void | Promise<void>): Promise<void> {
  await withTemp(async (folder) => {
    const path = join(folder, 'store');
    let made: Made | undefined;
    await makeStore(path, async (bench) => {
      made = await build(bench);
    });
    await use(path, must(made, 'store'));
  });
}

function kinds({ findings }: FsckReport): string[] {
  return [...new Set(findings.map(({ kind }) => kind))].sort();
}

test('nothing is found in a whole store, and everything is counted', async () => {
  await withStore((path) => {
    const { findings, checked } = fsckStore(path);
    assert.equal(findings, []);
    assert.is(checked.inodes, 707);
    assert.is(checked.entries, 707);
    assert.is(checked.xattrs, 1);
    assert.is(checked['object files'], 1);
    assert.is(checked.feeds, 2);
    assert.is(checked['cancelled ranges'], 1);
    assert.is(checked.records, 710);
  });
});

test('nothing is changed in the store', async () => {
  await withStore((path) => {
    const before = snapshot(path);
    fsckStore(path);
    assert.equal(snapshot(path), before);
  });
});

/** Every file but the lock, whole. */
function snapshot(path: string): string[] {
  return fs
    .readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name !== 'lock' && fs.statSync(join(path, name)).isFile())
    .map((name) => `${name} ${fs.readFileSync(join(path, name)).toString('base64')}`)
    .sort();
}

for (const { what, change, kinds: wanted } of CASES) {
  test(`finds ${what}`, async () => {
    await withStore(async (path, made) => {
      await tamper(path, (tables) => change(tables, made));
      const report = fsckStore(path);
      assert.equal(kinds(report), wanted, JSON.stringify(report.findings, undefined, 1));
    });
  });
}

test('finds an object file that is missing and one too many, and says whose they are', async () => {
  await withStore((path, { large }) => {
    const objects = join(path, 'objects');
    const [folder = '', file = ''] = must(
      fs.readdirSync(objects, { recursive: true, encoding: 'utf8' }).find((n) => n.includes('/')),
      'an object file',
    ).split('/');
    fs.renameSync(join(objects, folder, file), join(objects, folder, file.replace('.1', '.7')));
    const { findings } = fsckStore(path);
    assert.equal(findings.map(({ kind }) => kind).sort(), ['garbage-object', 'missing-contents']);
    assert.ok(
      findings.every(({ where, message }) => `${where}${message}`.includes(formatFid(large))),
    );
  });
});

test('an object file that an intent announces is not garbage', async () => {
  await withTemp(async (folder) => {
    const path = join(folder, 'store');
    await makeStore(path, async (bench) => {
      const file = bench.file('file');
      bench.objects.create({ fid: file.fid, generation: 1 });
      await bench.call('intent', { fid: file.fid, generation: 1, durable: true });
    });
    const report = fsckStore(path);
    assert.equal(report.findings, []);
    assert.is(report.checked['pending object work'], 1);
  });
});

test('a long list of findings of one kind is cut', async () => {
  await withTemp(async (folder) => {
    const path = join(folder, 'store');
    await makeStore(path, () => {});
    await tamper(path, (tables) => {
      for (let i = 0; i < 150; i++) tables.orphan.put(fidKey(1_000 + i), Buffer.alloc(0));
    });
    const { findings } = fsckStore(path);
    assert.is(findings.length, 101);
    assert.match(must(findings.at(-1), 'last').message, '50 more');
  });
});

test.run();
