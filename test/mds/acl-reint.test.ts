/** Mutations of objects with ACLs and capabilities: errnos, and all records that they make. */
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import type { RecordAttrs } from '../../src/feed/record.js';
import type { Attributes, Reint } from '../../src/rpc/messages.js';
import { ACCESS, aclOf, aclText, DEFAULT } from '../support/acl.js';
import { owedRecords } from '../support/namespace-model.js';
import type { Simulated } from '../support/simulated.js';
import {
  attributes,
  type Context,
  DIRECTORY,
  done,
  make,
  reint,
  reintSuite,
} from './reint-fixture.js';

const CAPABILITY = 'security.capability';
const NAMED = ['u::rwx', 'u:7:rw-', 'g::r-x', 'm::rwx', 'o::---'];
const MINIMAL = ['u::rw-', 'g::r--', 'o::---'];

function setting(fid: Fid, name: string, value: Uint8Array, more: object = {}): Reint {
  return { op: 'setxattr', fid, name: nameFromText(name), value, flags: 0, ...more };
}

function removing(fid: Fid, name: string): Reint {
  return { op: 'removexattr', fid, name: nameFromText(name) };
}

function creating(parent: Fid, name: string, mode: number, umask = 0): Reint {
  const entry = { parent, name: nameFromText(name), rdev: 0, open: false };
  return { op: 'create', ...entry, mode, umask };
}

function aclAt(sim: Simulated, fid: Fid, name = ACCESS): string[] | number {
  const value = sim.rpc('getxattr', { fid, name: nameFromText(name) });
  return typeof value === 'number' ? value : aclText(must(value, 'value') as Uint8Array);
}

/** What the records since the last call say, one line each. */
async function told({ sim, feed }: Context, from: { index: number }): Promise<string[]> {
  await sim.settle();
  const records = owedRecords(sim, feed).filter(({ index }) => index > from.index);
  from.index = records.at(-1)?.index ?? from.index;
  assert.ok(new Set(records.map(({ transno }) => transno)).size <= 1, 'one transaction');
  return records.map((record) => {
    const xattr = 'xattr' in record ? ` ${record.xattr.name.split(/[._]/).at(-1)}` : '';
    const value =
      record.op === 'setxattr' && record.xattr.name.startsWith('system.')
        ? ` ${aclText(record.xattr.value).join()}`
        : '';
    return `${record.op}${xattr}${value}${modeIn(record.attrs)}`;
  });
}

function modeIn({ mode }: RecordAttrs): string {
  return mode === undefined ? '' : ` ${mode.toString(8)}`;
}

const test = reintSuite('ACLs and capabilities');

test('an access ACL: its record has the mode that goes with it', async (context) => {
  const { sim } = context;
  const fid = make(sim, ROOT_FID, 'a');
  const from = { index: 1 };
  done(sim, setting(fid, ACCESS, aclOf(...NAMED)));
  assert.equal(await told(context, from), [`setxattr access ${NAMED.join()} 100770`]);
  done(sim, { op: 'setattr', fid, change: { mode: 0o640 } });
  assert.equal(await told(context, from), [
    'setattr 100640',
    'setxattr access u::rw-,u:7:rw-,g::r-x,m::r--,o::--- 100640',
  ]);
  done(sim, setting(fid, ACCESS, aclOf('u::r--', 'g::r--', 'o::---')));
  assert.equal(await told(context, from), ['removexattr access 100440']);
  done(sim, setting(fid, ACCESS, aclOf(...MINIMAL)));
  assert.equal(await told(context, from), ['setattr 100640']);
  done(sim, { op: 'setattr', fid, change: { mode: 0o600 } });
  assert.equal(await told(context, from), ['setattr 100600']);
});

test('removal leaves the mode, and needs an ACL', async (context) => {
  const { sim } = context;
  const fid = make(sim, ROOT_FID, 'a');
  const from = { index: 1 };
  assert.is(reint(sim, removing(fid, ACCESS)), 'ENODATA');
  done(sim, setting(fid, ACCESS, aclOf(...NAMED)));
  await told(context, from);
  done(sim, removing(fid, ACCESS));
  assert.equal(await told(context, from), ['removexattr access']);
  assert.is(attributes(sim, fid).mode, 0o100770);
});

test('set-group-id goes only where the request says so, and only with an access ACL', ({ sim }) => {
  const fid = make(sim, ROOT_FID, 'd', 0o042755);
  const mode = (name: string, killSgid: boolean): number =>
    done(sim, setting(fid, name, aclOf(...NAMED), { killSgid })).mode;
  assert.is(mode(DEFAULT, true), 0o042755);
  assert.is(mode(ACCESS, false), 0o042770);
  assert.is(mode(ACCESS, true), 0o040770);
});

test('what is refused, and changes nothing', async (context) => {
  const { sim } = context;
  const file = make(sim, ROOT_FID, 'a');
  const link = done(sim, {
    op: 'symlink',
    parent: ROOT_FID,
    name: nameFromText('l'),
    target: 'a',
  }).fid;
  const from = { index: 2 };
  const set = (fid: Fid, name: string, value: Uint8Array): Attributes | string =>
    reint(sim, setting(fid, name, value));
  assert.is(set(file, DEFAULT, aclOf(...NAMED)), 'EACCES');
  assert.is(set(link, ACCESS, aclOf(...NAMED)), 'EOPNOTSUPP');
  assert.is(set(file, ACCESS, new Uint8Array(0)), 'EINVAL');
  assert.is(set(file, ACCESS, aclOf('u::rw-', 'o::---')), 'EINVAL');
  const users = Array.from({ length: 508 }, (_, i) => `u:${i}:r--`);
  const many = (count: number): Buffer =>
    aclOf('u::rw-', ...users.slice(0, count), 'g::r--', 'm::r--', 'o::---');
  assert.is(set(file, ACCESS, many(508)), 'E2BIG');
  assert.equal(await told(context, from), []);
  assert.is(attributes(sim, file).mode, 0o100644);
  assert.is(aclAt(sim, file), 61);
  assert.type(set(file, ACCESS, many(507)), 'object');
});

test('flags are not for ACLs', ({ sim }) => {
  const fid = make(sim, ROOT_FID, 'a');
  done(sim, setting(fid, ACCESS, aclOf(...NAMED), { flags: 2 }));
  done(sim, setting(fid, ACCESS, aclOf(...NAMED), { flags: 1 }));
});

test('the umask counts where no default ACL does', async (context) => {
  const { sim } = context;
  assert.is(done(sim, creating(ROOT_FID, 'a', 0o106777, 0o027)).mode, 0o106750);
  assert.is(done(sim, creating(ROOT_FID, 'b', 0o106777, 0o7777)).mode, 0o106000);
  done(sim, setting(ROOT_FID, DEFAULT, aclOf('u::rwx', 'g::rwx', 'o::---')));
  const from = { index: 3 };
  assert.is(done(sim, creating(ROOT_FID, 'c', 0o106757, 0o777)).mode, 0o106750);
  assert.equal(await told(context, from), ['create 106750']);
});

test('what a new object inherits follows the record that creates it', async (context) => {
  const { sim } = context;
  done(sim, setting(ROOT_FID, DEFAULT, aclOf(...NAMED)));
  const from = { index: 1 };
  const file = done(sim, creating(ROOT_FID, 'a', 0o100640)).fid;
  const inherited = 'u::rw-,u:7:rw-,g::r-x,m::r--,o::---';
  assert.equal(await told(context, from), ['create 100640', `setxattr access ${inherited} 100640`]);
  assert.is(aclAt(sim, file, DEFAULT), 61);
  const folder = done(sim, creating(ROOT_FID, 'd', DIRECTORY)).fid;
  assert.equal(await told(context, from), [
    'mkdir 40750',
    'setxattr access u::rwx,u:7:rw-,g::r-x,m::r-x,o::--- 40750',
    `setxattr default ${NAMED.join()}`,
  ]);
  assert.equal(aclAt(sim, folder, DEFAULT), NAMED);
  done(sim, { op: 'symlink', parent: ROOT_FID, name: nameFromText('l'), target: 'x' });
  assert.equal(await told(context, from), ['symlink 120777']);
});

test('a capability goes before the change that takes it', async (context) => {
  const { sim } = context;
  const fid = make(sim, ROOT_FID, 'a');
  const from = { index: 1 };
  const after = async (change: object): Promise<string[]> => {
    done(sim, setting(fid, CAPABILITY, new Uint8Array(20)));
    await told(context, from);
    done(sim, { op: 'setattr', fid, change });
    return told(context, from);
  };
  for (const change of [{ size: 0 }, { uid: 5 }, { gid: 5 }]) {
    assert.equal(await after(change), ['removexattr capability', 'setattr']);
  }
  assert.equal(await after({ mode: 0o755 }), ['setattr 100755']);
  assert.equal(await after({ mtime: 'now' }), ['setattr']);
  const folder = make(sim, ROOT_FID, 'd', DIRECTORY);
  done(sim, setting(folder, CAPABILITY, new Uint8Array(20)));
  await sim.settle();
  from.index = must(owedRecords(sim, context.feed).at(-1), 'record').index;
  done(sim, { op: 'setattr', fid: folder, change: { uid: 5 } });
  assert.equal(await told(context, from), ['setattr']);
});

test('a damaged ACL is EIO where it is needed, and nothing else', ({ sim }) => {
  const { namespace } = sim.server;
  const fid = make(sim, ROOT_FID, 'd', DIRECTORY);
  for (const name of [ACCESS, DEFAULT]) namespace.xattrs.set(fid, name, new Uint8Array(7));
  namespace.inode(fid).hasXattrs = true;
  assert.is(reint(sim, creating(fid, 'a', 0o100644)), 'EIO');
  assert.is(reint(sim, { op: 'setattr', fid, change: { mode: 0o700 } }), 'EIO');
  assert.is(attributes(sim, fid).mode, DIRECTORY);
  assert.is(attributes(sim, fid).nlink, 2);
  done(sim, { op: 'setattr', fid, change: { uid: 3 } });
  done(sim, setting(fid, DEFAULT, aclOf(...MINIMAL)));
  done(sim, creating(fid, 'a', 0o100644));
});

test.run();
