/** What a policy makes of a feed, row by row. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parsePolicy } from '../../src/feed/policy.js';
import {
  type Decision,
  decide,
  type FeedFacts,
  freeBytesOf,
  roomRecords,
} from '../../src/feed/retention.js';

const NOTHING: FeedFacts = {
  idleSeconds: 0,
  owedBytes: 0,
  owedRecords: 0,
  droppableRecords: 0,
  missingBytes: 0,
};

function facts(parts: Partial<FeedFacts>): FeedFacts {
  const owedRecords = parts.owedRecords ?? 0;
  return { ...NOTHING, owedRecords, droppableRecords: owedRecords, ...parts };
}

type Row = readonly [policy: string, facts: Partial<FeedFacts>, outcome: Omit<Decision, 'why'>];

const keep = { kind: 'keep' } as const;
const expire = { kind: 'expire' } as const;
const block = { kind: 'block' } as const;
const drop = (until: { bytes?: number; records?: number }) => ({ kind: 'drop', until }) as const;

const THIRTY_DAYS = 30 * 86_400;
const full = { owedBytes: 9_000, owedRecords: 100 };

const ROWS: readonly Row[] = [
  ['', {}, keep],
  ['', { idleSeconds: THIRTY_DAYS - 1, ...full }, keep],
  ['', { idleSeconds: THIRTY_DAYS }, expire],
  ['', { owedBytes: 2 ** 50, owedRecords: 2 ** 40 }, keep],
  ['{"maxIdle":"never"}', { idleSeconds: 2 ** 40 }, keep],
  ['{"maxIdle":"never","maxBytes":9000}', { ...full, idleSeconds: 2 ** 40 }, keep],
  ['{"maxBytes":9000}', full, keep],
  ['{"maxBytes":8999}', full, expire],
  ['{"maxRecords":100}', full, keep],
  ['{"maxRecords":99}', full, expire],
  ['{"maxRecords":99,"maxBytes":"1T"}', full, expire],
  ['{"minFree":"1G"}', full, keep],
  ['{"minFree":"1G"}', { ...full, missingBytes: 1 }, expire],
  ['{"minFree":"1G"}', { missingBytes: 1 }, keep],
  ['{"maxBytes":9000,"then":"drop-oldest"}', full, keep],
  ['{"maxBytes":8999,"then":"drop-oldest"}', full, drop({ bytes: 8_999 })],
  ['{"maxRecords":100,"then":"drop-oldest"}', full, keep],
  ['{"maxRecords":10,"then":"drop-oldest"}', full, drop({ records: 10 })],
  [
    '{"maxRecords":10,"maxBytes":10000,"then":"drop-oldest"}',
    full,
    drop({ bytes: 10_000, records: 10 }),
  ],
  [
    '{"minFree":"1G","then":"drop-oldest"}',
    { ...full, missingBytes: 2_000 },
    drop({ bytes: 7_000 }),
  ],
  ['{"minFree":"1G","then":"drop-oldest"}', { ...full, missingBytes: 2 ** 30 }, drop({ bytes: 0 })],
  [
    '{"minFree":"1G","maxBytes":5000,"then":"drop-oldest"}',
    { ...full, missingBytes: 2_000 },
    drop({ bytes: 5_000 }),
  ],
  ['{"maxBytes":8999,"then":"drop-oldest"}', { ...full, droppableRecords: 0 }, keep],
  ['{"maxBytes":9000,"then":"drop-oldest"}', { ...full, idleSeconds: THIRTY_DAYS }, expire],
  ['{"maxBytes":9001,"then":"block"}', full, keep],
  ['{"maxBytes":9000,"then":"block"}', full, block],
  ['{"maxBytes":1,"then":"block"}', full, block],
  ['{"maxRecords":101,"then":"block"}', full, keep],
  ['{"maxRecords":100,"then":"block"}', full, block],
  ['{"minFree":"1G","then":"block"}', { ...full, missingBytes: 1 }, block],
  ['{"minFree":"1G","then":"block"}', { missingBytes: 1 }, block],
  ['{"maxBytes":1,"then":"block"}', { ...full, idleSeconds: 2 ** 40 }, block],
  ['{"maxIdle":"1d","maxBytes":1,"then":"block"}', { ...full, idleSeconds: 86_400 }, expire],
];

for (const [text, parts, outcome] of ROWS) {
  test(`${text || 'default'} with ${JSON.stringify(parts)}: ${outcome.kind}`, () => {
    const decision = decide(parsePolicy(text), facts(parts));
    if (decision.kind !== 'keep') assert.ok(decision.why.length > 10, 'it says why');
    const { why: _, ...rest } = { why: '', ...decision };
    assert.equal(rest, outcome);
  });
}

test('room is what a feed takes for certain', () => {
  const policy = (text: string) => parsePolicy(`{${text},"then":"block"}`);
  const owed = { bytes: 1_000, records: 10 };
  assert.is(roomRecords(policy('"maxRecords":10'), owed, 100), 0);
  assert.is(roomRecords(policy('"maxRecords":9'), owed, 100), 0);
  assert.is(roomRecords(policy('"maxRecords":12'), owed, 100), 2);
  assert.is(roomRecords(policy('"maxBytes":1399'), owed, 100), 3);
  assert.is(roomRecords(policy('"maxRecords":12,"maxBytes":1399'), owed, 100), 2);
  assert.is(roomRecords(policy('"minFree":12'), owed, 100), Number.POSITIVE_INFINITY);
});

test('a share of the disk', () => {
  assert.is(freeBytesOf({ percent: 5 }, 1_000), 50);
  assert.is(freeBytesOf({ percent: 0.25 }, 1_001), 3);
  assert.is(freeBytesOf({ bytes: 7 }, 1_000), 7);
});

test.run();
