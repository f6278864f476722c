import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../../src/base/assert.js';
import type { Fid } from '../../../src/base/fid.js';
import type { FileName } from '../../../src/base/name.js';
import { Calls, type PendingCall } from '../../../src/client/import/calls.js';
import { CALLS_MAX, SLOTS_FOR_WRITES } from '../../../src/client/import/limits.js';
import { SLOTS_MAX } from '../../../src/rpc/limits.js';
import type { Method, Reint } from '../../../src/rpc/messages.js';
import type { Xid } from '../../../src/rpc/session.js';

const ROOT = 1 as Fid;
const FILE = 200_000 as Fid;
const OTHER = 200_001 as Fid;

function call(method: Method, parts: Partial<PendingCall> = {}): PendingCall {
  return {
    method,
    change: undefined,
    contentsOf: undefined,
    closes: undefined,
    waitsForLock: false,
    restores: false,
    xid: undefined,
    slot: undefined,
    cancelled: false,
    payload: { method: 'sync', request: undefined, bytes: new Uint8Array(0) },
    prepare: () => true,
    take: () => undefined,
    forget: () => {},
    fail: () => {},
    ...parts,
  };
}

function change(reint: Reint): PendingCall {
  return call('reint', { change: reint });
}

const unlink = (): PendingCall => change({ op: 'unlink', parent: ROOT, name: 'x' as FileName });
const setattr = (fid: Fid): PendingCall => change({ op: 'setattr', fid, change: { size: 0 } });
/** Of a write the queue looks at no more than this. */
const write = (fid: Fid): PendingCall =>
  call('reint', { change: { op: 'write', fid } as Reint, contentsOf: fid });

function sendAll(calls: Calls): PendingCall[] {
  const sent: PendingCall[] = [];
  for (let next = calls.next(); next !== undefined; next = calls.next()) sent.push(next);
  return sent;
}

test('calls are sent in the order of calling, with growing numbers', () => {
  const calls = new Calls();
  const all = [call('lookup'), unlink(), call('getattr'), write(FILE), unlink()];
  for (const one of all) calls.add(one);
  assert.is(all[0]?.xid, undefined);
  const sent = sendAll(calls);
  assert.equal(
    sent.map((one) => all.indexOf(one)),
    [0, 1, 2, 3, 4],
  );
  assert.equal(
    sent.map(({ xid }) => xid),
    [1, 2, 3, 4, 5],
  );
  assert.is(calls.waiting, 0);
});

test('only mutations have a slot, no two the same, and it is free after the answer', () => {
  const calls = new Calls();
  for (let i = 0; i < 3; i++) calls.add(unlink());
  calls.add(call('lookup'));
  const sent = sendAll(calls);
  assert.is(new Set(sent.slice(0, 3).map(({ slot }) => slot)).size, 3);
  assert.is(sent[3]?.slot, undefined);
  const [first] = sent;
  calls.answered(1 as Xid);
  calls.add(unlink());
  assert.is(calls.next()?.slot, first?.slot);
});

test('without a free slot all that comes later waits, but for writes', () => {
  const calls = new Calls();
  for (let i = 0; i < SLOTS_MAX; i++) calls.add(unlink());
  calls.add(call('close'));
  const plain = SLOTS_MAX - SLOTS_FOR_WRITES;
  assert.is(sendAll(calls).length, plain);
  for (let i = 0; i < SLOTS_FOR_WRITES + 2; i++) calls.add(write(FILE));
  assert.is(sendAll(calls).length, SLOTS_FOR_WRITES);
  calls.add(call('intent'));
  assert.equal(
    sendAll(calls).map(({ method }) => method),
    ['intent'],
  );
  calls.answered(1 as Xid);
  // Of writes: the slots that are not theirs alone are all taken.
  assert.equal(
    sendAll(calls).map((one) => one.change?.op),
    ['write'],
  );
});

test('what waits goes on when slots are free again, in order', () => {
  const calls = new Calls();
  for (let i = 0; i < SLOTS_MAX; i++) calls.add(unlink());
  const close = call('close');
  calls.add(close);
  sendAll(calls);
  for (let xid = 1; xid <= SLOTS_FOR_WRITES; xid++) calls.answered(xid as Xid);
  assert.is(sendAll(calls).at(-1), close);
});

test('a write, or a look at contents, does not pass an earlier change of its file', () => {
  const calls = new Calls();
  for (let i = 0; i < SLOTS_MAX; i++) calls.add(unlink());
  sendAll(calls);
  const looks = call('contents', { contentsOf: FILE });
  const other = call('contents', { contentsOf: OTHER });
  const late = write(FILE);
  for (const one of [setattr(FILE), late, looks, other]) calls.add(one);
  assert.equal(sendAll(calls), [other]);
});

test('what an earlier change of its file held back may pass once that is sent or withdrawn', () => {
  const calls = new Calls();
  const plain = SLOTS_MAX - SLOTS_FOR_WRITES;
  for (let i = 0; i < plain; i++) calls.add(unlink());
  const [cut, mode] = [setattr(FILE), setattr(FILE)];
  const [first, second] = [write(FILE), write(FILE)];
  const looks = call('contents', { contentsOf: FILE });
  sendAll(calls);
  for (const one of [cut, first, looks, mode, second]) calls.add(one);
  assert.equal(sendAll(calls), []);
  calls.withdraw(cut);
  // The look stands behind the write, which is sent; the second write behind a change that waits.
  assert.equal(sendAll(calls), [first, looks]);
  for (const xid of [1, 2]) calls.answered(xid as Xid);
  assert.equal(sendAll(calls), [mode, second]);
});

test('to send one takes as long whether few or many wait', () => {
  const looked = (count: number): number => {
    const calls = new Calls();
    let looks = 0;
    for (let i = 0; i < count; i++) {
      const one = write((200_000 + i) as Fid);
      const { change: reint } = one;
      calls.add(
        Object.defineProperty(one, 'change', {
          get: () => {
            looks++;
            return reint;
          },
        }),
      );
    }
    for (let xid = 1; xid <= count; xid++) {
      sendAll(calls);
      calls.answered(xid as Xid);
    }
    assert.is(calls.size, 0);
    return looks / count;
  };
  assert.ok(looked(4_000) < 2 * looked(400));
});

test('closes that wait or are on their way are counted by file', () => {
  const calls = new Calls();
  const closes = [0, 1, 2].map(() => call('close', { closes: FILE }));
  for (const one of closes) calls.add(one);
  calls.add(call('close', { closes: OTHER }));
  assert.equal([calls.closing(FILE), calls.closing(OTHER)], [3, 1]);
  calls.next();
  assert.is(calls.closing(FILE), 3);
  calls.answered(1 as Xid);
  calls.withdraw(must(closes[2], 'the last'));
  assert.is(calls.closing(FILE), 1);
  calls.takeAll();
  assert.equal([calls.closing(FILE), calls.closing(OTHER)], [0, 0]);
});

test('a server never has more calls than it reads', () => {
  const calls = new Calls();
  for (let i = 0; i < CALLS_MAX + 5; i++) calls.add(call('lookup'));
  assert.is(sendAll(calls).length, CALLS_MAX);
  calls.add(call('fileLock', { waitsForLock: true }));
  assert.is(sendAll(calls).length, 0);
  for (let xid = 1; xid <= 5; xid++) calls.answered(xid as Xid);
  // Those that wait for a lock do not count.
  assert.is(sendAll(calls).length, 6);
  for (let i = 0; i < 1_000; i++) calls.add(call('fileLock', { waitsForLock: true }));
  assert.is(sendAll(calls).length, 1_000);
});

test('one that waits can be withdrawn, one that was sent cannot', () => {
  const calls = new Calls();
  const [first, second] = [unlink(), unlink()];
  calls.add(first);
  calls.next();
  calls.add(second);
  assert.is(calls.withdraw(first), false);
  assert.is(calls.withdraw(second), true);
  assert.is(calls.next(), undefined);
  assert.is(calls.isSent(first), true);
  calls.answered(1 as Xid);
  assert.is(calls.isSent(first), false);
  assert.is(calls.answered(1 as Xid), undefined);
});

test('all are taken at an eviction, and all slots are free', () => {
  const calls = new Calls();
  for (let i = 0; i < SLOTS_MAX + 3; i++) calls.add(unlink());
  sendAll(calls);
  calls.begin(call('feedOpen', { restores: true }));
  assert.is(calls.takeAll().length, SLOTS_MAX + 3);
  assert.is(calls.size, 0);
  for (let i = 0; i < SLOTS_MAX; i++) calls.add(write(FILE));
  assert.is(sendAll(calls).length, SLOTS_MAX);
});

test.run();
