/** Flipped bits and missing bytes of LMDB's file: fsck says what is hit and reads the rest. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { type FsckReport, fsckStore } from '../../src/mds/fsck.js';
import { StoreError } from '../../src/store/errors.js';
import { Store } from '../../src/store/store.js';
import { pathsOf } from '../../src/store/store-directory.js';
import { cut, flipBits, makeStore, withTemp } from '../support/damage.js';
import { Random } from '../support/random.js';

const FILES = 300;
const PAGE = 4_096;

async function withStore(use: (path: string) => void | Promise<void>): Promise<void> {
  await withTemp(async (folder) => {
    const path = join(folder, 'store');
    await makeStore(path, async (bench) => {
      await bench.call('feedCreate', { name: 'feed' as never });
      const directory = bench.folder('folder');
      for (let i = 0; i < FILES; i++) {
        const file = bench.file(`some file ${i}`, directory.fid);
        bench.write(file, Buffer.from(`the contents of file ${i}`));
      }
    });
    await use(path);
  });
}

function find(report: FsckReport, kind: string): string[] {
  return report.findings.filter((finding) => finding.kind === kind).map(({ where }) => where);
}

test('a bit in a file’s contents', async () => {
  await withStore((path) => {
    assert.ok(flipBits(path, 'the contents of file 123', 4) > 0);
    const report = fsckStore(path);
    assert.equal(
      report.findings.map(({ kind }) => kind),
      ['damaged-value'],
    );
    assert.match(find(report, 'damaged-value')[0] ?? '', /^contents of \[0x[0-9a-f]+:0x\w+:0x0\]$/);
  });
});

test('a bit in a name damages its entry and its record, and each is named', async () => {
  await withStore((path) => {
    flipBits(path, 'some file 77', 3);
    const report = fsckStore(path);
    assert.match(find(report, 'damaged-value')[0] ?? '', /^entry at slot \d+ of \[/);
    assert.match(find(report, 'damaged-record')[0] ?? '', /^record \d+ at \d+$/);
    // The file whose name is lost.
    assert.is(find(report, 'unreachable-inode').length, 1);
    assert.is(report.findings.length, 3, JSON.stringify(report.findings));
  });
});

test('the file cut to half, to a page and a bit, and to nothing', async () => {
  for (const size of [(whole: number) => whole / 2, 5_000, 0]) {
    await withStore((path) => {
      cut(path, size);
      const report = fsckStore(path);
      assert.ok(report.findings.length > 0);
      assert.ok(
        report.findings.some(({ kind }) => /^(missing-file|damaged-(file|page))$/.test(kind)),
      );
      assert.throws(
        () => Store.open(path, { create: false }),
        (error: unknown) => error instanceof StoreError && error.code === 'corrupt',
      );
    });
  }
});

test('a page of noise is named, and all other pages are read', async () => {
  await withStore((path) => {
    const { data } = pathsOf(path);
    const whole = fsckStore(path);
    const bytes = fs.readFileSync(data);
    const at = bytes.lastIndexOf('the contents of file 200');
    const page = Math.floor(at / PAGE);
    bytes.fill(0xa5, page * PAGE, (page + 1) * PAGE);
    fs.writeFileSync(data, bytes);
    const report = fsckStore(path);
    assert.ok(
      find(report, 'damaged-page').some((where) => where.endsWith(`, page ${page}`)),
      JSON.stringify(report.findings.slice(0, 5)),
    );
    assert.is(report.checked.inodes, whole.checked.inodes);
  });
});

test('whatever bits are flipped: fsck ends, and says so if it matters', async () => {
  await withStore((path) => {
    const { data } = pathsOf(path);
    const whole = fs.readFileSync(data);
    const counts = JSON.stringify(fsckStore(path).checked);
    const random = new Random(42);
    for (let round = 0; round < 80; round++) {
      const bytes = Buffer.from(whole);
      for (let flips = 1 + (round % 4); flips > 0; flips--) {
        // Beyond the meta pages, of which one may be of no use any more.
        const at = 2 * PAGE + random.below(bytes.length - 2 * PAGE);
        bytes[at] = must(bytes[at], 'byte') ^ (1 << random.below(8));
      }
      fs.writeFileSync(data, bytes);
      const { findings, checked } = fsckStore(path);
      // Nothing is lost without a word.
      assert.ok(findings.length > 0 || JSON.stringify(checked) === counts, `round ${round}`);
    }
  });
});

test.run();
