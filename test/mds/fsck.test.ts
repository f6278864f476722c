/** fsck finds nothing in whole stores, and each inconsistency by its name. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { formatFid } from '../../src/base/fid.js';
import { type FsckReport, fsckStore } from '../../src/mds/fsck.js';
import { fidKey } from '../../src/store/keys.js';
import { makeStore, tamper, withTemp } from '../support/damage.js';
import { CASES } from './fsck-cases.js';
import { withCaseStore } from './fsck-store.js';

function kinds({ findings }: FsckReport): string[] {
  return [...new Set(findings.map(({ kind }) => kind))].sort();
}

test('nothing is found in a whole store, and everything is counted', async () => {
  await withCaseStore((path) => {
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
  await withCaseStore((path) => {
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
    await withCaseStore(async (path, made) => {
      await tamper(path, (tables) => change(tables, made));
      const report = fsckStore(path);
      assert.equal(kinds(report), wanted, JSON.stringify(report.findings, undefined, 1));
    });
  });
}

test('finds an object file that is missing and one too many, and says whose they are', async () => {
  await withCaseStore((path, { large }) => {
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
