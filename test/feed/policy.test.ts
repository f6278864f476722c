/** The text of a policy: what it means, what is refused and why. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno, FsError } from '../../src/base/errno.js';
import { POLICY_AMOUNT_MAX, POLICY_TEXT_BYTES_MAX } from '../../src/feed/limits.js';
import { DEFAULT_POLICY, formatPolicy, type Policy, parsePolicy } from '../../src/feed/policy.js';

const DAY = 86_400;

function policy(parts: Partial<Policy>): Policy {
  return { ...DEFAULT_POLICY, ...parts };
}

const TAKEN: readonly (readonly [string, Policy, string])[] = [
  ['', DEFAULT_POLICY, '{"maxIdle":"30d","then":"expire"}'],
  [' \n', DEFAULT_POLICY, '{"maxIdle":"30d","then":"expire"}'],
  ['{}', DEFAULT_POLICY, '{"maxIdle":"30d","then":"expire"}'],
  [
    '{"maxIdle":"never"}',
    policy({ maxIdleSeconds: undefined }),
    '{"maxIdle":"never","then":"expire"}',
  ],
  ['{"maxIdle":"90s"}', policy({ maxIdleSeconds: 90 }), '{"maxIdle":"90s","then":"expire"}'],
  ['{"maxIdle":"120m"}', policy({ maxIdleSeconds: 7_200 }), '{"maxIdle":"2h","then":"expire"}'],
  ['{"maxIdle":"24h"}', policy({ maxIdleSeconds: DAY }), '{"maxIdle":"1d","then":"expire"}'],
  [
    '{"maxBytes":67108864}',
    policy({ maxBytes: 2 ** 26 }),
    '{"maxIdle":"30d","maxBytes":"64M","then":"expire"}',
  ],
  [
    ' { "then" : "drop-oldest" , "maxRecords" : "1000" } \n',
    policy({ maxRecords: 1000, action: 'drop-oldest' }),
    '{"maxIdle":"30d","maxRecords":1000,"then":"drop-oldest"}',
  ],
  [
    '{"minFree":"5%","then":"block"}',
    policy({ minFree: { percent: 5 }, action: 'block', maxIdleSeconds: undefined }),
    '{"maxIdle":"never","minFree":"5%","then":"block"}',
  ],
  [
    '{"minFree":"1G","maxIdle":"7d","then":"block"}',
    policy({ minFree: { bytes: 2 ** 30 }, action: 'block', maxIdleSeconds: 7 * DAY }),
    '{"maxIdle":"7d","minFree":"1G","then":"block"}',
  ],
  [
    '{"minFree":"0.25%"}',
    policy({ minFree: { percent: 0.25 } }),
    '{"maxIdle":"30d","minFree":"0.25%","then":"expire"}',
  ],
];

for (const [text, meaning, canonical] of TAKEN) {
  test(`taken: ${JSON.stringify(text)}`, () => {
    assert.equal(parsePolicy(text), meaning);
    assert.is(formatPolicy(meaning), canonical);
    assert.equal(parsePolicy(canonical), meaning);
  });
}

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['nonsense', /not JSON/],
  ['[]', /not a JSON object/],
  ['null', /not a JSON object/],
  ['"30d"', /not a JSON object/],
  ['{"maxIdle":"30d"}{}', /not JSON/],
  ['{"maxIdle":"1d","maxIdle":"2d"}', /twice/],
  ['{"maxidle":"30d"}', /unknown member "maxidle"; there are maxIdle/],
  ['{"__proto__":{"then":"block"}}', /unknown member "__proto__"/],
  ['{"maxIdle":30}', /maxIdle is "never" or a whole number with d, h, m or s like "30d", not 30/],
  ['{"maxIdle":null}', /maxIdle is "never"/],
  ['{"maxIdle":""}', /maxIdle is "never"/],
  ['{"maxIdle":"30 d"}', /maxIdle is "never"/],
  ['{"maxIdle":"-1d"}', /maxIdle is "never"/],
  ['{"maxIdle":"1.5d"}', /maxIdle is "never"/],
  ['{"maxIdle":"0s"}', /maxIdle must be more than zero/],
  ['{"maxIdle":"99999999d"}', /maxIdle is at most 36500 days/],
  ['{"maxBytes":0}', /maxBytes must be more than zero/],
  ['{"maxBytes":-5}', /maxBytes must be more than zero/],
  ['{"maxBytes":1.5}', /maxBytes is a whole number, or one with K, M, G or T like "64M", not 1.5/],
  ['{"maxBytes":1e300}', /maxBytes is at most/],
  ['{"maxBytes":"9999999999999999T"}', /maxBytes is at most/],
  [
    '{"maxBytes":"64MB"}',
    /maxBytes is a whole number, or one with K, M, G or T like "64M", not "64MB"/,
  ],
  ['{"maxBytes":true}', /maxBytes is a whole number/],
  ['{"maxBytes":{"valueOf":1}}', /maxBytes is a whole number/],
  ['{"maxRecords":"0"}', /maxRecords must be more than zero/],
  ['{"minFree":"0%"}', /minFree must be more than zero/],
  ['{"maxBytes":"1.5G"}', /maxBytes is a whole number, or one with K, M, G or T/],
  ['{"minFree":"1GiB"}', /minFree is a whole number, or one with K, M, G or T/],
  ['{"minFree":"100%"}', /like "64M", or a share from "0.01%" to "99.99%", not "100%"/],
  ['{"minFree":"-5%"}', /minFree is a whole number/],
  ['{"then":"delete"}', /then is one of "expire", "drop-oldest", "block", not "delete"/],
  ['{"then":"block"}', /"block" needs maxBytes, maxRecords or minFree/],
  ['{"maxIdle":"1d","then":"drop-oldest"}', /"drop-oldest" needs maxBytes/],
  ['{"maxBytes":100,"then":"drop-oldest"}', /maxBytes is at least 4096 with "drop-oldest"/],
  ['{"maxRecords":1,"then":"drop-oldest"}', /maxRecords is at least 2 with "drop-oldest"/],
  [`{"maxIdle":"${'1'.repeat(POLICY_TEXT_BYTES_MAX)}d"}`, /longer than 4096 bytes/],
  [`{"${'x'.repeat(1000)}":1}`, /unknown member "x{39}…/],
];

for (const [text, reason] of REFUSED) {
  test(`refused: ${text.slice(0, 60)}`, () => {
    try {
      parsePolicy(text);
    } catch (error) {
      assert.instance(error, FsError);
      assert.is((error as FsError).errno, Errno.EINVAL);
      assert.match((error as FsError).message, reason);
      assert.ok((error as FsError).message.length < 250, 'a reason is one short sentence');
      return;
    }
    assert.unreachable('it was taken');
  });
}

const amount = fc.option(fc.integer({ min: 4_096, max: POLICY_AMOUNT_MAX }), { nil: undefined });
const anyPolicy: fc.Arbitrary<Policy> = fc.record(
  {
    maxIdleSeconds: fc.option(fc.integer({ min: 1, max: 36_500 * DAY }), { nil: undefined }),
    maxBytes: amount,
    maxRecords: amount,
    minFree: fc.oneof(
      fc.constant({ percent: 12.5 }),
      fc.integer({ min: 1, max: POLICY_AMOUNT_MAX }).map((bytes) => ({ bytes })),
    ),
    action: fc.constantFrom('expire' as const, 'drop-oldest' as const, 'block' as const),
  },
  { noNullPrototype: true },
);

test('the text of any policy means that policy', () => {
  fc.assert(
    fc.property(anyPolicy, (any) => {
      assert.equal(parsePolicy(formatPolicy(any)), any);
    }),
  );
});

test('any text is a policy or is refused with EINVAL', () => {
  const member = fc.constantFrom('maxIdle', 'maxBytes', 'maxRecords', 'minFree', 'then', 'other');
  const object = fc.dictionary(member, fc.jsonValue()).map((value) => JSON.stringify(value));
  fc.assert(
    fc.property(fc.oneof(fc.string(), object), (text) => {
      try {
        parsePolicy(text);
      } catch (error) {
        assert.is(error instanceof FsError ? error.errno : error, Errno.EINVAL);
      }
    }),
  );
});

test.run();
