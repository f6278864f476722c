import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fid } from '../../../src/base/fid.js';
import { OpenList } from '../../../src/client/import/open-list.js';
import { Renewals } from '../../../src/client/import/renewals.js';
import type { Capability, KeyId, OpenHandle } from '../../../src/rpc/session.js';
import { FakeClock } from '../../support/fake-clock.js';

const FILE = 200_000 as Fid;
const OTHER = 200_001 as Fid;
const NOW = 1_000;

function capability(handle: number, fid = FILE, parts: Partial<Capability> = {}): Capability {
  const expires = NOW + 1_000;
  const right = { rights: 'read' as const, uid: 0, expires, key: 1 as KeyId };
  return { fid, handle: handle as OpenHandle, ...right, mac: new Uint8Array(32), ...parts };
}

function handles(opens: OpenList): number[] {
  return [...opens.entries()].map(({ handle }) => handle);
}

test('a close ends the open with the lowest number, of that file', () => {
  const opens = new OpenList();
  for (const handle of [5, 3, 9]) opens.add(capability(handle), undefined, NOW);
  opens.add(capability(1, OTHER), undefined, NOW);
  opens.closed(FILE);
  assert.equal(handles(opens).sort(), [1, 5, 9]);
  opens.closed(OTHER);
  opens.closed(OTHER);
  assert.equal(handles(opens).sort(), [5, 9]);
});

test('what is lost is closed without the server, as often as it was open', () => {
  const opens = new OpenList();
  for (const handle of [1, 2]) opens.add(capability(handle), undefined, NOW);
  assert.is(opens.lose(2 as OpenHandle), FILE);
  assert.is(opens.lose(2 as OpenHandle), undefined);
  assert.equal([opens.closesLost(FILE), opens.closesLost(FILE)], [true, false]);
  assert.is(opens.size, 1);
  opens.loseAll();
  assert.equal([opens.closesLost(FILE), opens.closesLost(FILE)], [true, false]);
});

test('the request of an open counts as long as it is kept', () => {
  const opens = new OpenList();
  const receipt = { transno: 1, handle: 1 };
  const payload = { method: 'open', bytes: new Uint8Array(100) };
  opens.add(capability(1), { xid: 1, slot: 0, receipt, payload } as never, NOW);
  assert.ok(opens.bytes > 100);
  opens.closed(FILE);
  assert.is(opens.bytes, 0);
});

test('one batch is on its way at a time, and asked for again after a lost connection', () => {
  const clock = new FakeClock();
  const opens = new OpenList();
  const renewals = new Renewals(opens, clock);
  opens.add(capability(1), undefined, clock.now().sec);
  assert.is(renewals.next(), undefined);
  renewals.keyIs(2 as KeyId);
  assert.is(renewals.dueInUs(), 0);
  assert.is(renewals.next()?.opens.length, 1);
  assert.equal([renewals.next(), renewals.dueInUs()], [undefined, undefined]);
  renewals.reset();
  const again = renewals.next();
  assert.is(again?.opens.length, 1);
  renewals.renewed({ kind: 'renewed', id: again?.id ?? 0, opens: [undefined] });
  assert.equal([renewals.next(), renewals.dueInUs()], [undefined, undefined]);
});

test('a server that renews with an old key, or for no time, is not asked without end', () => {
  const clock = new FakeClock();
  const opens = new OpenList();
  const renewals = new Renewals(opens, clock);
  const now = clock.now().sec;
  opens.add(capability(1, FILE, { expires: now + 1_000 }), undefined, now);
  renewals.keyIs(2 as KeyId);
  const asked = renewals.next();
  const same = capability(1, FILE, { expires: now - 5 });
  renewals.renewed({ kind: 'renewed', id: asked?.id ?? 0, opens: [same] });
  assert.is(renewals.next(), undefined);
  assert.ok((renewals.dueInUs() ?? 0) > 50_000_000);
});

test.run();
