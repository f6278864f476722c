/** Fuzzing of a mounted filesystem's control files, the same input each time. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { control } from './control.js';
import { fuzzForTest } from './run.js';

test(`${control.name}: ${control.holds}`, async () => {
  assert.is(await fuzzForTest(control), control.cases);
});

test.run();
