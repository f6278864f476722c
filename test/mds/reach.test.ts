/** What finding out who may get where costs: ACLs are judged once, not at each change of another directory. */
import * as assert from 'uvu/assert';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { REACH_DEPTH_MAX } from '../../src/mds/limits.js';
import { Reach } from '../../src/mds/reach.js';
import { ACCESS, aclOf } from '../support/acl.js';
import type { Simulated } from '../support/simulated.js';
import { done, renameOf } from './reint-fixture.js';
import { chmod, directory, rmdir, setxattr, tree, USER, watchSuite } from './watch-fixture.js';

const test = watchSuite('reach');

const MAY = aclOf('u::rwx', 'u:1000:r-x', 'g::---', 'm::r-x', 'o::---');
const MAY_NOT = aclOf('u::rwx', 'u:1000:---', 'g::---', 'm::r-x', 'o::r-x');

/** Reads of ACLs and of inodes that `work` leads to. */
function readsOf({ server }: Simulated, work: () => void): { acls: number; inodes: number } {
  const { xattrs, inodes } = server.namespace;
  const reads = { acls: 0, inodes: 0 };
  const get = { xattr: xattrs.get, inode: inodes.get };
  xattrs.get = (fid, name) => {
    reads.acls++;
    return get.xattr.call(xattrs, fid, name);
  };
  inodes.get = (fid) => {
    reads.inodes++;
    return get.inode.call(inodes, fid);
  };
  work();
  xattrs.get = get.xattr;
  inodes.get = get.inode;
  return reads;
}

/** Directories below one another, from the top. */
function chain(sim: Simulated, depth: number): Fid[] {
  const chained: Fid[] = [];
  for (let at = ROOT_FID as Fid; chained.length < depth; chained.push(at)) {
    at = directory(sim, at, 'd');
  }
  return chained;
}

test('a change elsewhere makes it walk, and read no ACL again', ({ sim }) => {
  const chained = chain(sim, 40);
  for (const fid of chained) setxattr(sim, fid, ACCESS, MAY);
  const { open } = tree(sim);
  const last = chained.at(-1) as Fid;
  const reach = new Reach(sim.server.namespace, USER);
  const ask = (): void => {
    assert.ok(reach.mayList(last));
  };
  assert.is(readsOf(sim, ask).acls, chained.length);
  assert.equal(readsOf(sim, ask), { acls: 0, inodes: 0 });
  chmod(sim, open, 0o700);
  assert.equal(readsOf(sim, ask), { acls: 0, inodes: chained.length + 1 });
  setxattr(sim, chained[7] as Fid, ACCESS, MAY);
  assert.is(readsOf(sim, ask).acls, 1);
});

test('whatever changes the answer is seen: ACL, mode, owner, group, place, removal', ({ sim }) => {
  const { open, shut } = tree(sim);
  const [a] = [directory(sim, open, 'a')];
  const b = directory(sim, a, 'b');
  const reach = new Reach(sim.server.namespace, USER);
  const steps: readonly (readonly [change: () => void, may: boolean])[] = [
    [() => {}, true],
    [() => setxattr(sim, a, ACCESS, MAY_NOT), false],
    [() => setxattr(sim, a, ACCESS, MAY), true],
    [() => chmod(sim, a, 0o700), false],
    [() => chmod(sim, a, 0o750), true],
    [() => done(sim, { op: 'removexattr', fid: a, name: ACCESS as never }), false],
    [() => void done(sim, { op: 'setattr', fid: a, change: { gid: 50 } }), true],
    [() => void done(sim, { op: 'setattr', fid: a, change: { gid: 0 } }), false],
    [() => void done(sim, { op: 'setattr', fid: a, change: { uid: USER.uid } }), true],
    [() => void done(sim, renameOf([open, 'a'], [shut, 'a'])), false],
    [() => void done(sim, renameOf([shut, 'a'], [open, 'a'])), true],
    [() => rmdir(sim, a, 'b'), false],
  ];
  for (const [i, [change, may]] of steps.entries()) {
    change();
    assert.is(reach.mayList(b), may, `step ${i}`);
  }
});

test('too deep is found out once, and whatever is below follows from it', ({ sim }) => {
  const chained = chain(sim, REACH_DEPTH_MAX + 3);
  const [deepest, deeper] = chained.slice(-2).toReversed() as [Fid, Fid];
  const lastSeen = chained[REACH_DEPTH_MAX - 1] as Fid;
  const reach = new Reach(sim.server.namespace, USER);
  assert.not.ok(reach.mayList(deeper));
  assert.is(readsOf(sim, () => void reach.mayList(deeper)).inodes, 0);
  assert.ok(readsOf(sim, () => void reach.mayList(deepest)).inodes <= 1);
  assert.not.ok(reach.mayList(deepest));
  assert.ok(reach.mayList(lastSeen));
  // Also where the way up ends at what is known.
  const after = new Reach(sim.server.namespace, USER);
  assert.ok(after.mayList(lastSeen));
  assert.not.ok(after.mayList(deeper));
});

test('of an owner, and of a mask without permissions, no ACL is read', ({ sim }) => {
  const mine = directory(sim, ROOT_FID, 'mine');
  setxattr(sim, mine, ACCESS, MAY);
  done(sim, { op: 'setattr', fid: mine, change: { uid: USER.uid } });
  const masked = directory(sim, ROOT_FID, 'masked');
  setxattr(sim, masked, ACCESS, aclOf('u::rwx', 'u:1000:---', 'g::---', 'm::---', 'o::r-x'));
  const reach = new Reach(sim.server.namespace, USER);
  const ask = (): void => {
    assert.ok(reach.mayList(mine));
    // As the kernel has it: who is named in it counts as one of the others.
    assert.ok(reach.mayList(masked));
  };
  assert.is(readsOf(sim, ask).acls, 0);
});

test.run();
