/** Changes that are made again: as they were, or not at all. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fid, ROOT_FID } from '../../../src/base/fid.js';
import { nameFromText } from '../../../src/base/name.js';
import type { Reint } from '../../../src/rpc/messages.js';
import {
  createOf,
  type Made,
  objectWriteOf,
  renameOf,
  type Served,
  tmpfileOf,
  unlinkOf,
  WHO,
  withServed,
} from './replay-fixture.js';

const DIRECTORY = 0o040755;
const WHITEOUT = 4;

/** One change of each kind, each of which needs those before it. */
function oneOfEach(served: Served): Made[] {
  const made: Made[] = [];
  const make = (change: Reint, keepsNameless = false): Fid => {
    const one = served.make(change, { keepsNameless });
    made.push(one);
    return one.fid;
  };
  const name = nameFromText('user.x');
  const directory = make(createOf('d', ROOT_FID, DIRECTORY));
  const file = make(createOf('f', directory));
  make(createOf('pipe', ROOT_FID, 0o010600));
  make({ op: 'symlink', parent: directory, name: nameFromText('s'), target: 'f' });
  make({ op: 'link', fid: file, parent: ROOT_FID, name: nameFromText('l') });
  make({ op: 'setattr', fid: file, change: { mode: 0o600, atime: 'now' } });
  make({ op: 'setxattr', fid: file, name, value: Uint8Array.of(1), flags: 0 });
  make({ op: 'removexattr', fid: file, name });
  make(objectWriteOf(file, 10_000));
  make({ op: 'setattr', fid: file, change: { size: 100 } });
  make({ op: 'unlink', parent: directory, name: nameFromText('f') });
  make(renameOf('l', 'm'));
  make(renameOf('m', 'n', WHITEOUT));
  make(unlinkOf('n'), true);
  const tmp = make(tmpfileOf());
  make(objectWriteOf(tmp, 3));
  make({ op: 'link', fid: tmp, parent: ROOT_FID, name: nameFromText('named') });
  make(createOf('e', ROOT_FID, DIRECTORY));
  make({ op: 'rmdir', parent: ROOT_FID, name: nameFromText('e') });
  return made;
}

test('one change of each kind is made again as it was', async () => {
  let expected: unknown;
  await withServed(async (served) => {
    oneOfEach(served);
    expected = await served.state();
  });
  await withServed(async (served) => {
    const made = oneOfEach(served);
    await served.kill();
    for (const one of made) assert.is(served.replay(one), 'ok', one.request.change.op);
    served.sim.server.finishRecovery(() => false);
    assert.equal(await served.state(), expected);
    assert.is(served.sim.server.lastTransno, made.at(-1)?.transno);
    assert.is(served.sim.server.committedTransno, made.at(-1)?.transno);
  });
});

test('what is made later has a number and a FID that were never used', () =>
  withServed(async (served) => {
    const made = [served.make(createOf('a')), served.make(createOf('b'))];
    await served.kill();
    assert.is(served.replay(made[1] as Made), 'ok');
    served.sim.server.finishRecovery(() => false);
    const later = served.make(createOf('c'));
    assert.is(later.transno, (made[1]?.transno ?? 0) + 1);
    assert.ok(made.every(({ fid }) => fid < later.fid));
  }));

test('a number that was used is not used again', () =>
  withServed(async (served) => {
    const committed = served.make(createOf('a'));
    await served.sim.settle();
    const [first, second] = [served.make(createOf('b')), served.make(createOf('c'))];
    await served.kill();
    assert.is(served.replay(committed), 'ESTALE');
    assert.is(served.replay(second), 'ok');
    assert.is(served.replay(second), 'ESTALE');
    assert.is(served.replay(first), 'ESTALE');
  }));

test('a change that was about another object is not made', () =>
  withServed(async (served) => {
    const [a, b] = [served.make(createOf('a')), served.make(createOf('b'))];
    const about = { replay: { transno: 100, time: { sec: 1, nsec: 0 }, fid: a.fid } };
    await served.sim.settle();
    const name = nameFromText('user.x');
    const writing = objectWriteOf(b.fid, 3);
    const changes: readonly Reint[] = [
      unlinkOf('b'),
      renameOf('b', 'c'),
      { op: 'link', fid: b.fid, parent: ROOT_FID, name: nameFromText('c') },
      { op: 'setattr', fid: b.fid, change: { mode: 0 } },
      { op: 'setxattr', fid: b.fid, name, value: Uint8Array.of(1), flags: 0 },
      { op: 'removexattr', fid: b.fid, name },
      writing,
    ];
    await served.kill();
    const before = await served.state();
    for (const change of changes) {
      const made = { request: { who: WHO, change, ...about }, transno: 100, fid: a.fid };
      assert.is(served.replay({ ...made, kept: undefined }), 'ESTALE', change.op);
    }
    assert.equal(await served.state(), before);
  }));

test('an object is not made over another, nor with a FID that is none', () =>
  withServed(async (served) => {
    const a = served.make(createOf('a'));
    await served.sim.settle();
    await served.kill();
    const again = (fid: Fid): string => {
      const replay = { transno: 100, time: { sec: 1, nsec: 0 }, fid };
      const request = { who: WHO, change: createOf('b'), replay };
      return served.replay({ request, transno: 100, fid, kept: undefined });
    };
    assert.is(again(a.fid), 'EEXIST');
    assert.is(again(ROOT_FID), 'EINVAL');
    assert.is(again((2 ** 60) as Fid), 'EINVAL');
    assert.is(again((a.fid + 1000) as Fid), 'ok');
  }));

test('only in a recovery, and not by a request', () =>
  withServed(async (served) => {
    const made = served.make(createOf('a'));
    assert.is(served.replay(made), 'EPERM', 'there is none');
    const other = { ...made.request, change: createOf('b') };
    assert.is(served.try(other.change, other), 'EPERM');
    await served.kill();
    assert.is(served.sim.server.recovering, true);
    assert.is(served.try(other.change, other), 'EPERM');
    const { replay: _left, ...plain } = made.request;
    assert.is(served.replay({ ...made, request: plain }), 'EPERM');
  }));

test('a time that no record can have is refused', () =>
  withServed(async (served) => {
    const made = served.make(createOf('a'));
    await served.kill();
    const replay = { transno: made.transno, time: { sec: 1, nsec: 1e9 }, fid: made.fid };
    assert.is(served.replay({ ...made, request: { ...made.request, replay } }), 'EINVAL');
    assert.is(served.replay(made), 'ok');
  }));

test('what depends on a change that is lost fails, and the rest does not', () =>
  withServed(async (served) => {
    served.make(createOf('d', ROOT_FID, DIRECTORY));
    const parent = served.sim.rpc('lookup', { parent: ROOT_FID, name: nameFromText('d') });
    const inside = served.make(createOf('x', (parent as { fid: Fid }).fid));
    const beside = served.make(createOf('y'));
    await served.kill();
    assert.is(served.replay(inside), 'ESTALE');
    assert.is(served.replay(beside), 'ok');
    assert.is(served.exists(inside.fid), false);
  }));

test('replays need no room', () =>
  withServed(async (served) => {
    const made = served.make(createOf('a'));
    await served.kill();
    served.sim.store.freeBytes = () => 0;
    served.sim.clock.advance(1_000_000);
    assert.is(served.try(createOf('b')), 'ENOSPC');
    assert.is(served.replay(made), 'ok');
  }));

test('the number that is on disk is told', () =>
  withServed(async (served) => {
    const told: number[] = [];
    served.sim.server.onCommitted((transno) => told.push(transno));
    const { transno } = served.make(createOf('a'));
    await served.sim.settle();
    served.sim.server.commit.note();
    await served.sim.settle();
    assert.equal(told, [transno]);
  }));

test.run();
