/** What is read of a thread, and when nothing may be. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CAP_DAC_OVERRIDE,
  CAP_DAC_READ_SEARCH,
  ThreadState,
} from '../../src/client/thread-state.js';

const OPENAT = '257 0xffffff9c 0x1000 0x0 0x0 0x0 0x0 0x7ffd12345678 0x7f0011223344\n';

function status(capabilities: string, groups = '4 24 1000'): string {
  return [
    'Name:\tcat',
    'Uid:\t1000\t1001\t1002\t1003',
    'Gid:\t2000\t2001\t2002\t2003',
    `Groups:\t${groups} `,
    'CapInh:\t0000000000000006',
    `CapEff:\t${capabilities}`,
    '',
  ].join('\n');
}

/** Over files that are given, each a text or several, one for each look. */
function threads(files: Record<string, string | string[]>, release = '6.1.0') {
  const looked: string[] = [];
  const state = new ThreadState({
    release,
    arch: 'x64',
    read: (path) => {
      looked.push(path);
      const text = files[path];
      if (text === undefined) throw new Error('EACCES');
      return typeof text === 'string' ? text : (text.shift() ?? 'running\n');
    },
  });
  return { state, looked };
}

test('the system call of a thread that is just going to sleep', () => {
  const { state, looked } = threads({ '/proc/7/syscall': ['running\n', 'running\n', OPENAT] });
  assert.equal(state.systemCall(7), { kind: 'open', flags: 0 });
  assert.is(looked.length, 3);
});

test('one that never sleeps, is not there or may not be read, is not known', () => {
  const { state, looked } = threads({ '/proc/7/syscall': 'running\n' });
  assert.is(state.systemCall(7), undefined);
  assert.ok(looked.length < 1000, 'looks are bounded');
  assert.is(state.systemCall(8), undefined);
  assert.is(state.systemCall(0), undefined);
});

test('what a thread is doing, whatever its command is called', () => {
  const of = (state: string) => `7 (a) R (b) ${state} 1 7 7 0 -1 4194560\n`;
  const code = (name: string) => Object.assign(new Error(name), { code: name });
  const progress = (read: () => string) => new ThreadState({ read }).progress(7);
  for (const state of ['S', 'T', 't', 'I'])
    assert.is(
      progress(() => of(state)),
      'asleep',
    );
  for (const state of ['R', 'D'])
    assert.is(
      progress(() => of(state)),
      'busy',
    );
  for (const state of ['Z', 'X'])
    assert.is(
      progress(() => of(state)),
      'gone',
    );
  const failing = (name: string) =>
    progress(() => {
      throw code(name);
    });
  assert.equal(['ENOENT', 'ESRCH', 'EACCES'].map(failing), ['gone', 'gone', 'busy']);
  assert.is(new ThreadState().progress(process.pid), 'busy');
});

test('before Linux 5.11 the file is never touched: an exec may hold its lock', () => {
  const cases: [release: string, may: boolean][] = [
    ['5.10.200-generic', false],
    ['5.4.0', false],
    ['4.19.0-rc1', false],
    ['unknown', false],
    ['5.11.0', true],
    ['5.15.0-91-generic', true],
    ['6.0.0', true],
    ['10.2', true],
  ];
  for (const [release, may] of cases) {
    const { state, looked } = threads({ '/proc/7/syscall': OPENAT }, release);
    assert.is(state.systemCall(7) !== undefined, may, release);
    assert.is(looked.length, may ? 1 : 0, release);
  }
});

test('who it is: the ids that count for files, and groups', () => {
  const { state, looked } = threads({ '/proc/7/status': status('0000000000000000') });
  assert.equal(state.subject(7), {
    uid: 1003,
    gid: 2003,
    groups: [4, 24, 1000],
    capabilities: 0,
    uids: [],
    gids: [],
  });
  assert.equal(looked, ['/proc/7/status']);
  const none = threads({ '/proc/7/status': status('0000000000000000', '') });
  assert.equal(none.state.subject(7)?.groups, []);
});

test('capabilities that override permissions, and the ids for which they do', () => {
  const { state } = threads({
    '/proc/7/status': status('000001ffffffffff'),
    '/proc/7/uid_map': '         0          0 4294967295\n',
    '/proc/7/gid_map': '         0     100000      65536\n         5 7 1\n',
  });
  const subject = state.subject(7);
  assert.is(subject?.capabilities, CAP_DAC_OVERRIDE | CAP_DAC_READ_SEARCH);
  assert.equal(subject?.uids, [{ from: 0, count: 4_294_967_295 }]);
  assert.equal(subject?.gids, [
    { from: 100_000, count: 65_536 },
    { from: 7, count: 1 },
  ]);
  const reads = threads({
    '/proc/7/status': status('0000000000000004'),
    '/proc/7/uid_map': '0 0 1\n',
    '/proc/7/gid_map': '0 0 1\n',
  });
  assert.is(reads.state.subject(7)?.capabilities, CAP_DAC_READ_SEARCH);
});

test('a status that is no such thing, or cannot be read', () => {
  assert.is(threads({ '/proc/7/status': 'Name:\tcat\n' }).state.subject(7), undefined);
  assert.is(threads({}).state.subject(7), undefined);
  assert.is(threads({}).state.subject(0), undefined);
  const unmapped = threads({ '/proc/7/status': status('0000000000000002') });
  assert.is(unmapped.state.subject(7), undefined);
});

test('this very process, as Linux tells of it', () => {
  const state = new ThreadState();
  const subject = state.subject(process.pid);
  assert.is(subject?.uid, process.geteuid?.());
  assert.is(subject?.gid, process.getegid?.());
  const groups = [subject?.gid, ...(subject?.groups ?? [])];
  assert.ok(process.getgroups?.().every((group) => groups.includes(group)));
});

test.run();
