import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fid } from '../../../src/base/fid.js';
import { KeptAnswers } from '../../../src/mds/export/kept-answers.js';
import { ANSWER_BYTES_KEPT_MAX, ANSWERS_KEPT_MAX } from '../../../src/mds/export/limits.js';
import { HeldOpens } from '../../../src/mds/export/opens.js';
import { receptionOf } from '../../../src/mds/export/outcome.js';
import { Slots } from '../../../src/mds/export/slots.js';
import type { OpenHandle, ServerBoot, Slot, Xid } from '../../../src/rpc/session.js';

const THIS = '1' as ServerBoot;
const OTHER = '2' as ServerBoot;

/** said, recovering, knows, kept: outcome, afresh. */
const ROWS: readonly (readonly [
  ServerBoot | undefined,
  boolean,
  boolean,
  boolean,
  string,
  boolean,
])[] = [
  [undefined, false, false, false, 'new', true],
  [undefined, false, false, true, 'new', true],
  [undefined, true, true, false, 'wait', true],
  [undefined, true, false, false, 'wait', true],
  [OTHER, true, true, false, 'recover', false],
  [THIS, true, true, true, 'recover', false],
  [OTHER, true, false, false, 'wait', false],
  [THIS, true, false, false, 'wait', false],
  [THIS, false, true, true, 'resumed', false],
  [THIS, false, false, false, 'evicted', true],
  [OTHER, false, false, false, 'evicted', true],
  [OTHER, false, true, true, 'evicted', true],
];

for (const [said, recovering, knows, kept, outcome, afresh] of ROWS) {
  const what = `${said === THIS ? 'this run' : (said ?? 'nobody')}, ${recovering ? 'in' : 'no'} recovery`;
  test(`${what}, ${knows ? 'known' : 'not known'}, ${kept ? 'kept' : 'not kept'}: ${outcome}`, () => {
    const standing = { said, boot: THIS, recovering, knows, kept };
    assert.equal(receptionOf(standing), { outcome, afresh });
  });
}

test('the oldest open goes first, however they came', () => {
  const opens = new HeldOpens();
  const fid = 5 as Fid;
  for (const handle of [7, 3, 9, 1] as OpenHandle[]) {
    opens.add({ handle, fid, rights: handle === 9 ? 'write' : 'read', uid: 0 });
  }
  assert.equal([opens.count(fid), opens.size, opens.writes(fid)], [4, 4, true]);
  const none = new Set<OpenHandle>();
  assert.is(opens.takeOldest(fid, new Set([1, 3] as OpenHandle[]))?.handle, 7);
  assert.is(opens.takeOldest(fid, none)?.handle, 1);
  assert.is(opens.take(9 as OpenHandle)?.handle, 9);
  assert.not(opens.writes(fid));
  assert.is(opens.takeOldest(fid, new Set([3] as OpenHandle[])), undefined);
  assert.is(opens.takeOldest(fid, none)?.handle, 3);
  assert.equal([opens.count(fid), opens.has(fid), opens.size], [0, false, 0]);
  assert.is(opens.takeOldest(fid, none), undefined);
});

test('answers are kept up to a number, and up to their bytes', () => {
  const answers = new KeptAnswers();
  const none = { method: 'close', errno: 0, result: undefined, handle: undefined } as const;
  for (let xid = 1; xid <= ANSWERS_KEPT_MAX + 1; xid++) answers.keep(xid as Xid, none);
  assert.is(answers.get(1 as Xid), undefined);
  assert.ok(answers.get(2 as Xid) !== undefined);
  const result = { bytes: Buffer.alloc(ANSWER_BYTES_KEPT_MAX / 5) };
  for (let xid = 10_001; xid <= 10_003; xid++) {
    answers.keep(xid as Xid, { method: 'watchNext', errno: 0, result, handle: undefined });
  }
  assert.is(answers.get(10_001 as Xid), undefined);
  assert.ok(answers.get(10_002 as Xid) !== undefined);
});

test('a slot knows what is new, what is on its way, and what it has answered', () => {
  const slots = new Slots();
  const slot = 3 as Slot;
  const asked = Buffer.from('asked');
  assert.is(slots.find(slot, 5 as Xid, asked), 'new');
  slots.begin(slot, 5 as Xid, asked);
  assert.is(slots.find(slot, 5 as Xid, asked), 'busy');
  assert.is(slots.find(slot, 6 as Xid, asked), 'busy');
  assert.is(slots.answerOf(slot), undefined);
  slots.refused(slot, 5 as Xid, 2);
  assert.is(slots.find(slot, 5 as Xid, asked), 'same');
  assert.is(slots.find(slot, 5 as Xid, Buffer.from('other')), 'other');
  assert.is(slots.answerOf(slot), 2);
  assert.is(slots.find(slot, 4 as Xid, asked), 'old');
  assert.is(slots.find(slot, 6 as Xid, asked), 'new');
  assert.equal([...slots.rows()], []);
});

test.run();
