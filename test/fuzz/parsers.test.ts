/** Fuzzing of all that turns bytes or text into something, the same inputs each time. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { changelog } from './changelog.js';
import { lines } from './lines.js';
import { records } from './records.js';
import { FuzzFailure, fuzz, fuzzForTest } from './run.js';
import { filters, policies } from './settings.js';
import type { Target } from './target.js';

for (const target of [records, lines, filters, policies, changelog]) {
  test(`${target.name}: ${target.holds}`, async () => {
    assert.is(await fuzzForTest(target), target.cases);
  });
}

test('what fails is shown with its seed, and as small as it gets', async () => {
  const target: Target = {
    name: 'example',
    holds: 'there are not two A',
    cases: 1,
    open: () => ({
      generate: (random) => Buffer.from(random.below(100) === 0 ? 'xxAxxxxxxAyyyyy' : 'fine'),
      check: (input) => {
        if (Buffer.from(input).toString().split('A').length > 2) throw new Error('two');
      },
      show: (input) => Buffer.from(input).toString(),
    }),
  };
  let failure: unknown;
  await fuzz(target, { seed: 5, goOn: () => true }).catch((error: unknown) => {
    failure = error;
  });
  assert.instance(failure, FuzzFailure);
  const { message } = failure as FuzzFailure;
  assert.match(message, /from 15 to 2 bytes:\nAA\n/);
  const seed = Number(/--seed (\d+)/.exec(message)?.[1]);
  // The number alone brings it again, as the first input.
  let first = -1;
  const goOn = (done: number): boolean => {
    first = done;
    return true;
  };
  await fuzz(target, { seed, goOn }).catch(() => {});
  assert.is(first, 0);
});

test.run();
