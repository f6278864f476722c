// test-one-node: the stores are read by code that has tests of its own
/** Fuzzing of stores that are damaged, the same damage each time. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pages } from './pages.js';
import { fuzzForTest } from './run.js';
import { stores } from './stores.js';

for (const target of [pages, stores]) {
  test(`${target.name}: ${target.holds}`, async () => {
    assert.is(await fuzzForTest(target), target.cases);
  });
}

/** Each ended the process once. */
const ENDED_IT = [
  // A block under another key: a feed that drops its oldest records finds them end before they begin.
  '00687c6e81b69a0000',
];

test('inputs that were found once', async () => {
  const subject = await stores.open();
  try {
    for (const input of ENDED_IT) await subject.check(Buffer.from(input, 'hex'));
  } finally {
    await subject.close?.();
  }
});

test.run();
