/** What a start and fsck find of a store that is a copy. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { fsckStore } from '../../src/mds/fsck.js';
import { repairStore } from '../../src/mds/fsck-repair.js';
import { Replica } from '../../src/mds/replica.js';
import { decodeReplicaRow, encodeReplicaRow } from '../../src/mds/replica-row.js';
import { TransnoCounter } from '../../src/mds/transno-counter.js';
import type { Table } from '../../src/store/table.js';
import { tamper } from '../support/damage.js';
import { FakeClock } from '../support/fake-clock.js';
import { projectRoot } from '../support/project-root.js';
import { Simulated } from '../support/simulated.js';
import { attributes, reintSuite } from './reint-fixture.js';
import { begin, F, placeAt, SOURCE, state, tree } from './replica-fixture.js';

const test = reintSuite('starts of copies');

test('a copy that somebody else changed is none any more', async (context) => {
  await tree(context);
  await context.sim.settle();
  const path = join(context.folder, 'store');
  await context.sim.close();
  // What a feedfs does that knows nothing of copies.
  await tamper(path, ({ meta }) => {
    const key = Buffer.from('transno');
    const value = Buffer.alloc(8);
    value.writeBigUInt64LE((meta.get(key)?.readBigUInt64LE(0) ?? 0n) + 1n);
    meta.put(key, value);
  });
  const { error } = console;
  const said: unknown[] = [];
  console.error = (text: unknown) => said.push(text);
  context.sim = new Simulated(path);
  console.error = error;
  assert.match(String(said[0]), /no copy any more/);
  assert.is(state(context.sim).source, undefined);
  assert.is(await begin(context.sim), 'EPERM');
});

test('fsck knows the row, and a repair takes out one that is damaged', async (context) => {
  await tree(context);
  await context.sim.settle();
  const path = join(context.folder, 'store');
  await context.sim.close();
  assert.equal(fsckStore(path).findings, []);
  const row = { is: 'copy', filesystem: SOURCE, feed: 1, baseline: 'complete' } as const;
  const at = { place: placeAt(4), applied: 4, time: undefined };
  const good = encodeReplicaRow({ ...row, ...at, transno: 3 }).toString();
  const behind = good.replace('"applied":4', '"applied":3');
  for (const bad of ['{}', 'x', behind, good.replace('copy', 'kopi'), good.replace('[0,', '[')]) {
    await tamper(path, ({ meta }) => meta.put(Buffer.from('replica'), Buffer.from(bad)));
    const [found, ...more] = fsckStore(path).findings;
    assert.equal([found?.kind, found?.where, more], ['damaged-value', 'meta replica', []], bad);
  }
  await repairStore(path, { clock: new FakeClock() });
  assert.equal(fsckStore(path).findings, []);
  context.sim = new Simulated(path);
  assert.equal(state(context.sim).source, undefined);
  assert.is(attributes(context.sim, F).fid, F);
});

test('store/FORMAT.md: the example of the row', () => {
  const format = fs.readFileSync(join(projectRoot(), 'src/store/FORMAT.md'), 'utf8');
  const text = format.split('```replica\n')[1]?.split('\n```')[0] ?? '';
  const row = {
    is: 'copy',
    filesystem: '00112233445566778899aabbccddeeff',
    feed: 3,
    baseline: 'complete',
    place: { epoch: 0, offset: 81_920, index: 512 },
    applied: 530,
    time: { sec: 1_700_000_000, nsec: 5 },
    transno: 1024,
  } as const;
  assert.equal(decodeReplicaRow(Buffer.from(text)), row);
  assert.is(encodeReplicaRow(row).toString(), text);
});

test('a row that is damaged is no row that says nothing', () => {
  const meta = { get: () => Buffer.from('{}') } as unknown as Table;
  assert.throws(
    () => new Replica(meta, new TransnoCounter({ get: () => undefined } as never)),
    /EIO/,
  );
});

test.run();
