import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fid } from '../../../src/base/fid.js';
import {
  compareItems,
  type ReplayItem,
  ReplayList,
} from '../../../src/client/import/replay-list.js';
import type { KeyId, OpenHandle, Slot, Xid } from '../../../src/rpc/session.js';

const NO_MAC = new Uint8Array(32);

function item(transno: number, xid = transno, parts: Partial<ReplayItem> = {}): ReplayItem {
  const time = { sec: 1, nsec: 0 };
  const fid = 200_000 as Fid;
  const receipt = { transno, time, fid, handle: undefined, key: 1 as KeyId, mac: NO_MAC };
  const payload = { method: 'reint', request: {}, bytes: new Uint8Array(40) };
  const rest = { xid: xid as Xid, slot: 0 as Slot, receipt };
  return { ...rest, payload, ...parts } as ReplayItem;
}

function transnos(list: ReplayList): number[] {
  return list.items().map(({ receipt }) => receipt.transno);
}

test('it is in order, whatever order answers come in', () => {
  const list = new ReplayList();
  for (const transno of [3, 5, 4, 9, 1]) list.add(item(transno));
  assert.equal(transnos(list), [1, 3, 4, 5, 9]);
});

test('what is on disk goes, and is not taken again', () => {
  const list = new ReplayList();
  for (const transno of [1, 2, 3, 4]) list.add(item(transno));
  const gone: number[] = [];
  list.prune(2, ({ receipt }) => gone.push(receipt.transno));
  assert.equal(gone, [1, 2]);
  list.add(item(2, 99));
  list.prune(1);
  assert.equal(transnos(list), [3, 4]);
  assert.is(list.committed, 2);
  list.prune(100);
  assert.equal([list.size, list.bytes], [0, 0]);
});

test('an open comes after the change whose number it has, whenever it was asked for', () => {
  const open = item(7, 3, { payload: { ...item(7).payload, method: 'open' } as never });
  const change = item(7, 5);
  assert.equal([open, change].sort(compareItems), [change, open]);
});

test('two changes of one slot are both kept', () => {
  const list = new ReplayList();
  list.add(item(9, 5));
  list.add(item(12, 8));
  assert.equal(
    list.items().map(({ xid, slot }) => [xid, slot]),
    [
      [5, 0],
      [8, 0],
    ],
  );
});

test('a newer signature takes the place of the old one', () => {
  const list = new ReplayList();
  const old = item(2);
  for (const one of [item(1), old, item(3)]) list.add(one);
  list.prune(1);
  const handle = 4 as OpenHandle;
  list.replace(old, { ...old, receipt: { ...old.receipt, handle } });
  const opened = list.items().filter(({ receipt }) => receipt.handle === handle);
  assert.equal(
    opened.map(({ xid }) => xid),
    [2],
  );
  list.replace(old, old);
  assert.is(list.size, 2);
});

test('it is what a sorted list would be', () => {
  const step = fc.oneof(
    fc.record({ add: fc.integer({ min: 1, max: 60 }) }),
    fc.record({ prune: fc.integer({ min: 1, max: 60 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const list = new ReplayList();
      let model: number[] = [];
      let committed = 0;
      for (const one of steps) {
        if ('add' in one) {
          list.add(item(one.add));
          if (one.add > committed) model = [...model, one.add].sort((a, b) => a - b);
        } else {
          list.prune(one.prune);
          committed = Math.max(committed, one.prune);
          model = model.filter((transno) => transno > committed);
        }
        assert.equal(transnos(list), model);
        assert.is(list.bytes > 0, model.length > 0);
      }
    }),
  );
});

test.run();
