/** Which contents go with a batch of records. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../../src/base/assert.js';
import { union } from '../../../src/bridges/send/contents-plan.js';
import { RecordSource } from '../../../src/bridges/send/record-source.js';
import { FakeLog, fidOf, link, renameOver, startPlace, unlink, write } from './fake-log.js';

test('each file is wanted once, with all its ranges, unless it is gone at the end', async () => {
  const log = new FakeLog();
  const [a, b, c, d, e] = [1, 2, 3, 4, 5].map(fidOf);
  const files = {
    a: must(a, 'a'),
    b: must(b, 'b'),
    c: must(c, 'c'),
    d: must(d, 'd'),
    e: must(e, 'e'),
  };
  log.add(
    write(1, files.a, { offset: 0, length: 10 }, { offset: 100, length: 10 }),
    write(2, files.b, { offset: 0, length: 1 }),
    write(3, files.a, { offset: 5, length: 10 }, { offset: 110, length: 5 }),
    write(4, files.c, { offset: 0, length: 1 }),
    unlink(5, files.b),
    renameOver(6, files.d, files.c),
    write(7, files.e, { offset: 0, length: 1 }),
    unlink(8, files.e, false),
  );
  const batch = must(await new RecordSource(log, startPlace()).next(), 'batch');
  assert.equal(batch.wanted, [
    {
      fid: files.a,
      ranges: [
        { offset: 0, length: 15 },
        { offset: 100, length: 15 },
      ],
    },
    { fid: files.e, ranges: [{ offset: 0, length: 1 }] },
  ]);
});

test('a file that loses its last name and gets another is wanted', async () => {
  const log = new FakeLog();
  log.add(write(1, fidOf(1), { offset: 0, length: 1 }), unlink(2, fidOf(1)), link(3, fidOf(1)));
  const batch = must(await new RecordSource(log, startPlace()).next(), 'batch');
  assert.is(batch.wanted.length, 1);
});

test('the union of ranges has the same bytes, each once, in order', () => {
  const extent = fc.record({ offset: fc.nat(50), length: fc.integer({ min: 1, max: 10 }) });
  fc.assert(
    fc.property(fc.array(extent), (extents) => {
      const bytesOf = (list: readonly { offset: number; length: number }[]) =>
        list.flatMap(({ offset, length }) => Array.from({ length }, (_, i) => offset + i));
      const merged = bytesOf(union(extents));
      assert.equal(
        merged,
        [...new Set(bytesOf(extents))].sort((x, y) => x - y),
      );
      for (const [i, { offset }] of union(extents).entries()) {
        const before = union(extents)[i - 1];
        assert.ok(before === undefined || before.offset + before.length < offset);
      }
    }),
  );
});

test.run();
