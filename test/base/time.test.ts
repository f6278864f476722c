/** Times as nanoseconds in text, and their order. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  compareTimes,
  SystemClock,
  timeFromNanoseconds,
  timeToNanoseconds,
} from '../../src/base/time.js';
import { arbitraryTime } from '../support/arbitrary-record.js';

test('nanoseconds lead back to the same time, and agree with plain arithmetic', () => {
  fc.assert(
    fc.property(arbitraryTime, (time) => {
      const text = timeToNanoseconds(time);
      assert.is(BigInt(text), BigInt(time.sec) * 1_000_000_000n + BigInt(time.nsec));
      assert.equal(timeFromNanoseconds(text), time);
    }),
  );
});

test('before 1970 nanoseconds still count forward', () => {
  assert.is(timeToNanoseconds({ sec: -1, nsec: 999_999_999 }), '-1');
  assert.equal(timeFromNanoseconds('-1'), { sec: -1, nsec: 999_999_999 });
  assert.is(timeToNanoseconds({ sec: 0, nsec: 5 }), '5');
});

test('times are ordered by seconds, then nanoseconds', () => {
  fc.assert(
    fc.property(arbitraryTime, arbitraryTime, (a, b) => {
      const difference = BigInt(timeToNanoseconds(a)) - BigInt(timeToNanoseconds(b));
      assert.is(Math.sign(compareTimes(a, b)), Number(difference > 0n) - Number(difference < 0n));
    }),
  );
});

test('the clock grows from look to look', () => {
  const clock = new SystemClock();
  let last = clock.now();
  for (let i = 0; i < 20_000; i++) {
    const now = clock.now();
    assert.ok(compareTimes(now, last) > 0, `${timeToNanoseconds(last)} ${timeToNanoseconds(now)}`);
    assert.ok(now.nsec >= 0 && now.nsec <= 999_999_999);
    last = now;
  }
});

test.run();
