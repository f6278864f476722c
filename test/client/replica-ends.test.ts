/** Contents that a receiver puts behind the end that a file of a copy has, or is about to have. */
import * as assert from 'uvu/assert';
import type { Fid } from '../../src/base/fid.js';
import { attributes, reintSuite } from '../mds/reint-fixture.js';
import { openFile } from '../support/simulated-files.js';
import {
  BEGIN,
  contents,
  created,
  data,
  F,
  LARGE,
  Receiving,
  told,
  written,
} from './replica-fixture.js';

const test = reintSuite("ends of a copy's files");

/** A file whose contents are an object file, and one whose contents are beside its inode. */
const FILES = [
  [F, LARGE],
  [(F + 1) as Fid, 100],
] as const;

test('what was given behind the end that a record tells is there when a later one uncovers it', async (context) => {
  const { sim } = context;
  for (const [fid, size] of FILES) {
    const receiving = new Receiving(sim);
    await receiving.done(BEGIN, created(fid, `f${fid}`), data(fid, 0, 2 * size, 1));
    await receiving.done(written(fid, size));
    assert.is(attributes(sim, fid).size, size);
    await receiving.done(written(fid, 2 * size, [{ offset: size, length: size }]));
    receiving.close();
    await sim.settle();
    assert.ok((await contents(sim, fid, 3 * size)).equals(Buffer.alloc(2 * size, 1)));
    const [first, second] = (await told(context)).slice(-2);
    assert.equal([first, second], [[[0, size]], [[size, size]]]);
  }
});

test('bytes behind an end that came nearer do not come back', async (context) => {
  const { sim } = context;
  for (const [fid, size] of FILES) {
    const receiving = new Receiving(sim);
    await receiving.done(BEGIN, created(fid, `f${fid}`), data(fid, 0, size, 1), written(fid, size));
    // What is in memory of it stays there.
    openFile(sim, fid, 0);
    await receiving.done(data(fid, size, 10, 2), written(fid, size / 2, []));
    await receiving.done(written(fid, size + 10, []));
    receiving.close();
    const expected = Buffer.alloc(size + 10).fill(1, 0, size / 2);
    assert.ok((await contents(sim, fid, 2 * size)).equals(expected), `${size}`);
  }
});

test('what was given behind the end when the receiver goes is no record, and does not come back', async (context) => {
  const { sim } = context;
  for (const [fid, size] of FILES) {
    const receiving = new Receiving(sim);
    await receiving.done(BEGIN, created(fid, `f${fid}`), data(fid, 0, size, 1), written(fid, size));
    openFile(sim, fid, 0);
    const before = (await told(context)).length;
    await receiving.done(data(fid, size + 5, 10, 2));
    receiving.close();
    assert.is((await told(context)).length, before);
    const next = new Receiving(sim);
    await next.done(written(fid, size + 20, []));
    next.close();
    const expected = Buffer.alloc(size + 20).fill(1, 0, size);
    assert.ok((await contents(sim, fid, 2 * size)).equals(expected), `${size}`);
  }
});

test.run();
