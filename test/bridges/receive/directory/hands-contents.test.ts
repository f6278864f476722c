/** Contents of files: written, cut, punched, and left alone where they are equal. */
import * as fs from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Bench,
  contents,
  DISKS,
  data,
  failureOf,
  hole,
  makeFile,
  withHands,
} from './hands-fixture.js';

for (const disk of DISKS) {
  const check = (name: string, use: (bench: Bench) => Promise<void>): void => {
    test(`${name}, on ${disk}`, () => withHands({ disk }, use));
  };

  check('contents: cut, parts, holes, size', async ({ hands, target }) => {
    const kib = 1024;
    await hands.inOrder([makeFile('f', 'x'.repeat(200 * kib))]);
    const parts = [data(0, 'AB'), hole(16 * kib, 64 * kib), data(300 * kib, 'end')];
    await hands.inOrder([contents('f', { cut: 150 * kib, parts, size: 400 * kib })]);
    const wanted = Buffer.alloc(400 * kib);
    wanted.fill('x', 0, 150 * kib);
    wanted.write('AB');
    wanted.fill(0, 16 * kib, 80 * kib);
    wanted.write('end', 300 * kib);
    const stat = fs.statSync(`${target}/f`);
    assert.ok(fs.readFileSync(`${target}/f`).equals(wanted));
    assert.ok(stat.blocks * 512 <= 120 * kib, `${stat.blocks} blocks`);
  });

  check('contents that are equal are not written', async ({ hands, target }) => {
    const size = 200 * 1024;
    const mtime = { sec: 1_000, nsec: 7 };
    await hands.inOrder([
      makeFile('f', 'x'.repeat(size), { size: 2 * size, attributes: { mode: 0o600, mtime } }),
    ]);
    const equal = [data(0, 'x'.repeat(size)), hole(size, size)];
    await hands.inOrder([contents('f', { parts: equal, size: 2 * size, compare: true })]);
    assert.is(fs.statSync(`${target}/f`, { bigint: true }).mtimeNs, 1_000_000_000_007n);
    const other = Buffer.alloc(size, 'x');
    other.write('y', size - 1);
    await hands.inOrder([contents('f', { parts: [data(0, other)], compare: true })]);
    assert.is(fs.readFileSync(`${target}/f`).toString('latin1', size - 2, size + 1), 'xy\0');
    assert.is.not(fs.statSync(`${target}/f`, { bigint: true }).mtimeNs, 1_000_000_000_007n);
  });

  check('positions that no file has are refused', async ({ hands, target }) => {
    await hands.inOrder([makeFile('f', 'text')]);
    for (const step of [
      contents('f', { cut: -1 }),
      contents('f', { size: 1.5 }),
      contents('f', { parts: [data(-1, 'x')] }),
      contents('f', { parts: [hole(0, -1)] }),
      makeFile('g', '', { size: -1 }),
    ]) {
      assert.is((await failureOf(hands.inOrder([step]))).code, 'EINVAL');
    }
    assert.is(fs.readFileSync(`${target}/f`, 'utf8'), 'text');
  });
}

test.run();
