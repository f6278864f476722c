/** As whom a thread is taken: all of it or nobody. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { threadIdentity } from '../../src/client/thread-identity.js';

const CALLER = { uid: 1000, gid: 100, pid: 77 };

function status({
  uid = '1000 1000 1000 1000',
  gid = '100 100 100 100',
  groups = '4 27 ',
} = {}): string {
  const tabs = (ids: string) => ids.replaceAll(' ', '\t');
  return `Name:\tcat\nUmask:\t0022\nTgid:\t77\nUid:\t${tabs(uid)}\nGid:\t${tabs(gid)}\nGroups:\t${groups}\n`;
}

function identityOf(text: string | undefined, overflow = '65534\n') {
  const read = (path: string): string => {
    if (path.endsWith('overflowgid')) return overflow;
    if (path !== '/proc/77/status' || text === undefined) throw new Error('ENOENT');
    return text;
  };
  return threadIdentity(CALLER, { read });
}

test('uid, gid and supplementary groups', () => {
  assert.equal(identityOf(status()), { uid: 1000, gid: 100, groups: [4, 27] });
  assert.equal(identityOf(status({ groups: '' })), { uid: 1000, gid: 100, groups: [] });
});

test('who acts for somebody else is nobody: set-user-ID, set-group-ID, setfsuid', () => {
  assert.is(identityOf(status({ uid: '500 1000 1000 1000' })), undefined);
  assert.is(identityOf(status({ uid: '1000 1000 0 1000' })), undefined);
  assert.is(identityOf(status({ uid: '0 0 0 1000' })), undefined);
  assert.is(identityOf(status({ gid: '100 50 50 50' })), undefined);
  assert.is(identityOf(status({ gid: '7 7 7 100' })), undefined);
});

test('who cannot be looked at is nobody', () => {
  assert.is(identityOf(undefined), undefined);
  assert.is(identityOf('Name:\tcat\n'), undefined);
  assert.is(threadIdentity({ ...CALLER, pid: 0 }, { read: () => status() }), undefined);
});

test('groups that this user namespace does not know are no groups', () => {
  assert.equal(identityOf(status({ groups: '4 65534 27' }))?.groups, [4, 27]);
  assert.equal(identityOf(status({ groups: '4 65534 99' }), '99\n')?.groups, [4, 65_534]);
});

test.run();
