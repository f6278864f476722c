/** What fsck finds in table `client`, and makes of it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ClientTable, encodeClient } from '../../../src/mds/export/client-table.js';
import { SLOT_ROW_BYTES } from '../../../src/mds/export/slot-row.js';
import { fsckStore } from '../../../src/mds/fsck.js';
import { repairStore } from '../../../src/mds/fsck-repair.js';
import type { ClientId } from '../../../src/rpc/session.js';
import { clientKey, slotKey } from '../../../src/store/keys.js';
import { Store } from '../../../src/store/store.js';
import { FakeClock } from '../../support/fake-clock.js';
import { World } from './world.js';

const ONE = '1'.padStart(32, '0') as ClientId;
const STRAY = 'e'.repeat(32) as ClientId;

test('damaged rows of clients are found and taken out, whole ones stay', async () => {
  const world = new World();
  const client = world.welcome(1);
  client.create('a', true);
  client.create('b', true);
  world.settle();
  const { path } = world.store;
  await world.stop();
  assert.equal(fsckStore(path).findings, []);
  assert.is(fsckStore(path).checked.clients, 1);
  const store = Store.open(path, { create: false });
  const table = store.tables.client;
  store.commit(() => {
    table.put(Buffer.from('odd'), Buffer.from('x'));
    table.put(slotKey(ONE, 200), Buffer.alloc(SLOT_ROW_BYTES));
    table.put(slotKey(ONE, 5), Buffer.alloc(3));
    table.put(slotKey(STRAY, 1), Buffer.alloc(SLOT_ROW_BYTES));
    table.put(clientKey('d'.repeat(32)), Buffer.from('{}'));
  });
  await store.close();
  const kinds = fsckStore(path).findings.map(({ kind }) => kind);
  assert.equal(kinds.sort(), [
    'damaged-key',
    'damaged-key',
    'damaged-value',
    'damaged-value',
    'stray-value',
  ]);
  const { left } = await repairStore(path, { clock: new FakeClock() });
  assert.equal(left.findings, []);
  const mended = Store.open(path, { create: false });
  const clients = new ClientTable(mended.tables.client);
  const [known] = clients.stored();
  assert.is(known?.client, ONE);
  assert.match(encodeClient(known as never).toString(), '"identity":"uid:0"');
  assert.is(clients.slotsOf(ONE).size, 1);
  await mended.close();
  world.remove();
});

test.run();
