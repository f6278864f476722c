/** Nothing is destroyed before it is known who has what open, and then all that nobody has. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno, FsError } from '../../../src/base/errno.js';
import { type Fid, ROOT_FID } from '../../../src/base/fid.js';
import { nameFromText } from '../../../src/base/name.js';
import { ORPHANS_PER_TURN } from '../../../src/mds/recovery/limits.js';
import { removeUnrecorded } from '../../../src/mds/recovery/unrecorded.js';
import type { Reint } from '../../../src/rpc/messages.js';
import { owedRecords } from '../../support/namespace-model.js';
import {
  createOf,
  objectWriteOf,
  type Served,
  tmpfileOf,
  unlinkOf,
  withServed,
} from './replay-fixture.js';

const NOBODY = (): boolean => false;

/** A file with an object file of its own. */
function makeFile(served: Served, name: string): Fid {
  const { fid } = served.make(createOf(name));
  served.sim.objects.create({ fid, generation: 0 });
  served.sim.objects.write({ fid, generation: 0 }, new Uint8Array(10_000).fill(7), 0);
  served.make(objectWriteOf(fid, 10_000));
  return fid;
}

/** A file that somebody has open, and that lost its name. */
function makeOrphan(served: Served, name: string): Fid {
  const fid = makeFile(served, name);
  served.sim.rpc('open', { fid });
  served.make(unlinkOf(name));
  return fid;
}

test('an orphan that is opened again lives, with its contents, until it is closed', () =>
  withServed(async (served) => {
    const [kept, lost] = [makeOrphan(served, 'a'), makeOrphan(served, 'b')];
    await served.sim.settle();
    await served.kill();
    assert.ok([kept, lost].every((fid) => served.exists(fid)));
    await served.sim.settle();
    assert.ok(served.exists(lost), 'not before the end of the recovery');
    served.sim.server.namespace.opens.add(kept);
    served.sim.server.finishRecovery(NOBODY);
    await served.sim.settle();
    assert.equal([served.exists(kept), served.exists(lost)], [true, false]);
    assert.equal([served.hasObjectFile(kept, 0), served.hasObjectFile(lost, 0)], [true, false]);
    served.sim.rpc('close', { fid: kept });
    await served.sim.settle();
    assert.equal([served.exists(kept), served.hasObjectFile(kept, 0)], [false, false]);
  }));

test('a replayed removal keeps the object until the end', () =>
  withServed(async (served) => {
    const fid = makeFile(served, 'a');
    await served.sim.settle();
    const unlink = served.make(unlinkOf('a'), { keepsNameless: true });
    await served.kill();
    assert.is(served.replay(unlink), 'ok');
    assert.is(served.sim.server.namespace.opens.has(fid), false, 'the export opens it');
    await served.sim.settle();
    assert.ok(served.exists(fid) && served.hasObjectFile(fid, 0));
    served.sim.server.finishRecovery(NOBODY);
    await served.sim.settle();
    assert.equal([served.exists(fid), served.hasObjectFile(fid, 0)], [false, false]);
  }));

test('an orphan whose last open ends in the recovery goes at its end', () =>
  withServed(async (served) => {
    const fid = makeOrphan(served, 'a');
    await served.sim.settle();
    await served.kill();
    served.sim.server.namespace.opens.add(fid);
    served.sim.rpc('close', { fid });
    await served.sim.settle();
    assert.ok(served.exists(fid));
    served.sim.server.finishRecovery(NOBODY);
    await served.sim.settle();
    assert.not.ok(served.exists(fid));
  }));

test('removals and cuts that are due are done at the end, those of replays too', () =>
  withServed(async (served) => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => makeFile(served, name)) as [Fid, Fid, Fid];
    await served.sim.settle();
    // The server dies between the commit and what follows from it.
    served.sim.holdFlushes = true;
    served.make(unlinkOf('a'));
    served.make({ op: 'setattr', fid: b, change: { size: 100 } });
    served.sim.server.commit.run();
    const cut = served.make({ op: 'setattr', fid: c, change: { size: 0 } });
    await served.kill();
    const objects = served.sim.objects;
    assert.is(served.replay(cut), 'ok');
    await served.sim.settle();
    assert.ok(served.hasObjectFile(a, 0) && served.hasObjectFile(c, 0));
    assert.is(objects.use({ fid: b, generation: 0 }).size, 10_000);
    served.sim.server.finishRecovery(NOBODY);
    // At once: who asks from now on must not meet the bytes behind the cut.
    assert.is(objects.use({ fid: b, generation: 0 }).size, 100);
    await served.sim.settle();
    assert.not.ok(served.hasObjectFile(a, 0) || served.hasObjectFile(c, 0));
    assert.equal([...served.sim.store.tables.object.keys({})], []);
  }));

test('a file that may get a name keeps that over a crash, with where its data end', () =>
  withServed(async (served) => {
    const { fid } = served.make(tmpfileOf());
    const other = served.make(tmpfileOf(false)).fid;
    await served.sim.settle();
    served.make(objectWriteOf(fid, 10_000));
    served.make({ op: 'setattr', fid, change: { size: 20_000 } });
    await served.sim.settle();
    await served.kill();
    for (const open of [fid, other]) served.sim.server.namespace.opens.add(open);
    served.sim.server.finishRecovery(NOBODY);
    const link = { op: 'link', parent: ROOT_FID, name: nameFromText('n') } as const;
    assert.is(served.try({ ...link, fid: other }), 'ENOENT');
    served.make({ ...link, fid });
    await served.sim.settle();
    const [create, write] = owedRecords(served.sim, served.feed).slice(-2);
    assert.is(create?.op, 'create');
    assert.equal(write?.op === 'write' && write.extents, [{ offset: 0, length: 10_000 }]);
    served.sim.rpc('close', { fid: other });
    await served.sim.settle();
    assert.equal([...served.sim.store.tables.orphan.keys({})], []);
  }));

test('what was announced is recorded at the end, unless somebody goes on with it', () =>
  withServed(async (served) => {
    const [held, left] = [makeFile(served, 'a'), makeFile(served, 'b')];
    for (const fid of [held, left]) {
      served.sim.rpc('intent', { fid, generation: 0, durable: false });
    }
    const garbage = served.make(createOf('c')).fid;
    served.sim.objects.create({ fid: garbage, generation: 0 });
    served.sim.rpc('intent', { fid: garbage, generation: 0, durable: false });
    await served.sim.settle();
    const before = owedRecords(served.sim, served.feed).length;
    await served.kill();
    await served.sim.settle();
    assert.ok(served.hasObjectFile(garbage, 0));
    served.sim.server.finishRecovery((fid) => fid === held);
    await served.sim.settle();
    const records = owedRecords(served.sim, served.feed).slice(before);
    assert.equal(
      records.map(({ op, fid }) => [op, fid]),
      [['write', left]],
    );
    assert.not.ok(served.hasObjectFile(garbage, 0));
    assert.equal(served.sim.server.namespace.objects.intents, [{ fid: held, generation: 0 }]);
    // Its writer is evicted later.
    served.sim.server.resolveIntents(NOBODY);
    await served.sim.settle();
    assert.is(owedRecords(served.sim, served.feed).at(-1)?.fid, held);
    assert.equal([...served.sim.store.tables.object.keys({})], []);
  }));

test('an orphan that cannot be removed does not keep the others', () =>
  withServed(async (served) => {
    const fids = ['a', 'b', 'c'].map((name) => makeOrphan(served, name));
    await served.sim.settle();
    await served.kill();
    const { namespace } = served.sim.server;
    const destroy = namespace.destroy.bind(namespace);
    namespace.destroy = (inode) => {
      if (inode.fid === fids[1]) throw new FsError(Errno.EIO, 'damaged');
      destroy(inode);
    };
    served.sim.server.finishRecovery(NOBODY);
    await served.sim.settle();
    namespace.destroy = destroy;
    assert.equal(
      fids.map((fid) => served.exists(fid)),
      [false, true, false],
    );
    assert.ok(namespace.orphans.has(fids[1] as Fid), 'the next start tries again');
  }));

test('many orphans are destroyed some at a time', () =>
  withServed(async (served) => {
    const count = ORPHANS_PER_TURN * 2 + 1;
    for (let i = 0; i < count; i++) served.make(tmpfileOf());
    await served.sim.settle();
    await served.kill();
    const { server } = served.sim;
    const left = (): number => server.namespace.orphans.size;
    assert.is(left(), count);
    server.finishRecovery(NOBODY);
    assert.ok(left() >= count - ORPHANS_PER_TURN);
    assert.ok(server.commit.uncommitted > 0, 'whoever keeps the time looks again');
    await served.sim.settle();
    assert.is(left(), 0);
  }));

test('the server may end in a recovery, and the next one starts it again', () =>
  withServed(async (served) => {
    const fid = makeOrphan(served, 'a');
    await served.sim.settle();
    await served.kill();
    const { transno } = served.sim.server.replay({
      ...served.make(createOf('x')).request,
      replay: { transno: 50, time: { sec: 1, nsec: 0 }, fid: 200_000 as Fid },
      change: createOf('y'),
    });
    await served.sim.server.settle();
    await served.kill();
    assert.is(served.sim.server.lastTransno, transno);
    assert.ok(served.exists(fid));
  }));

test('a store that is embedded again gives its clients up', () =>
  withServed(async (served) => {
    const fid = makeOrphan(served, 'a');
    const { client } = served.sim.store.tables;
    served.sim.store.commit(() => client.put(Buffer.from('0123456789abcdef'), Buffer.from('{}')));
    await served.sim.settle();
    const error = console.error;
    const said: unknown[] = [];
    console.error = (line) => said.push(line);
    await served.kill({});
    console.error = error;
    assert.match(String(said[0]), /evicted/);
    await served.sim.settle();
    assert.not.ok(served.exists(fid));
    assert.equal([...served.sim.store.tables.client.keys({})], []);
  }));

test('who waited for a cut to write behind it never meets it again', () =>
  withServed(async (served) => {
    const fid = makeFile(served, 'a');
    await served.sim.settle();
    served.make({ op: 'setattr', fid, change: { size: 100 } });
    let answered = false;
    served.sim.connection.call('sync', undefined, () => {
      answered = true;
    });
    while (!answered) await served.sim.finishFlush();
    const id = { fid, generation: 0 };
    served.sim.objects.write(id, new Uint8Array(10).fill(1), 5000);
    await served.kill();
    served.sim.server.finishRecovery(NOBODY);
    assert.is(served.sim.objects.use(id).size, 5010);
  }));

test('an object that the file on disk still holds goes after the change that left it', () =>
  withServed(async (served) => {
    const fid = makeFile(served, 'a');
    await served.sim.settle();
    served.make({ op: 'setattr', fid, change: { size: 0 } });
    const { namespace, commit } = served.sim.server;
    assert.is(removeUnrecorded(namespace, { fid, generation: 0 }), true);
    assert.ok(served.hasObjectFile(fid, 0), 'the cut is not on disk');
    // Nothing on disk can hold these; of the second one more may be made soon.
    for (const generation of [1, 2]) {
      served.sim.objects.create({ fid, generation });
      assert.is(removeUnrecorded(namespace, { fid, generation }), true);
      assert.not.ok(served.hasObjectFile(fid, generation));
    }
    commit.note();
    await served.sim.settle();
    assert.not.ok(served.hasObjectFile(fid, 0));
    assert.equal([...served.sim.store.tables.object.keys({})], []);
    const other = makeFile(served, 'b');
    assert.is(removeUnrecorded(namespace, { fid: other, generation: 0 }), false);
    served.make(unlinkOf('b'));
    assert.is(removeUnrecorded(namespace, { fid: other, generation: 0 }), true);
    assert.ok(served.hasObjectFile(other, 0), 'the removal is not on disk');
  }));

test('where changes are lost, the first record of an object is of all of it', () =>
  withServed(async (served) => {
    const { fid } = served.make(createOf('a'));
    const overwritten = makeFile(served, 'b');
    served.sim.rpc('intent', { fid: overwritten, generation: 0, durable: false });
    await served.sim.settle();
    await served.kill();
    served.sim.server.namespace.lossy = true;
    served.sim.server.finishRecovery(() => true);
    const extents = [{ offset: 8_000, length: 2_000 }];
    for (const one of [fid, overwritten, fid, overwritten]) {
      served.make({ ...objectWriteOf(one, 10_000), extents } as Reint);
    }
    await served.sim.settle();
    const written = owedRecords(served.sim, served.feed).slice(-4);
    const all = [{ offset: 0, length: 10_000 }];
    assert.equal(
      written.map((record) => record.op === 'write' && record.extents),
      [all, all, extents, extents],
    );
  }));

test.run();
