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

test.run();
