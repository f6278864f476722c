/** What a thread calls itself must not be read as what it is. */
import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { threadIdentity } from '../../src/client/thread-identity.js';
import { ThreadState } from '../../src/client/thread-state.js';
import { statusField, statusNumbers } from '../../src/client/thread-status.js';

/** What JavaScript takes for the end of a line, where a regular expression has the flag m. */
const LINE_ENDS = ['\r', '\u2028', '\u2029', '\v', '\f', '\x85', '\\n'];
const FORGED = ['Groups:\t4242', 'Groups: 4242', 'Uid:\t0\t0\t0\t0', 'Tgid:\t1', 'Name:\tinit'];

function statusOf(name: string): string {
  const lines = ['Tgid:\t77', 'Uid:\t7\t7\t7\t7', 'Gid:\t8\t8\t8\t8', 'Groups:\t8 9 '];
  return `${[`Name:\t${name}`, 'Umask:\t0022', ...lines, 'CapEff:\t0000000000000000'].join('\n')}\n`;
}

test('a name that holds a field is a name', () => {
  for (const end of LINE_ENDS) {
    for (const field of [...FORGED, 'CapEff:\t000001ffffffffff']) {
      for (const name of [`${end}${field}`, `x${end}${field}`, field]) {
        const status = statusOf(name);
        assert.is(statusField(status, 'Name'), name);
        assert.equal(statusNumbers(status, 'Tgid'), [77]);
        assert.equal(statusNumbers(status, 'Uid'), [7, 7, 7, 7]);
        assert.equal(statusNumbers(status, 'Groups'), [8, 9]);
        assert.is(statusField(status, 'CapEff'), '0000000000000000');
        const read = (path: string): string => (path.endsWith('status') ? status : '65534\n');
        const caller = { uid: 7, gid: 8, pid: 77 };
        assert.equal(threadIdentity(caller, { read }), { uid: 7, gid: 8, groups: [8, 9] });
        assert.is(threadIdentity({ ...caller, uid: 0 }, { read }), undefined);
        const subject = new ThreadState({ read }).subject(77);
        assert.equal([subject?.uid, subject?.groups, subject?.capabilities], [7, [8, 9], 0]);
      }
    }
  }
});

test('what is not all there, or not only numbers, is not known', () => {
  assert.is(statusField('Name:\tcat\nUid:\t7', 'Uid'), undefined);
  assert.is(statusField('Name:\tcat\n', 'Uid'), undefined);
  assert.is(statusField('', 'Name'), undefined);
  assert.is(statusNumbers('Name:\tx\nGroups:\t4 x 5\n', 'Groups'), undefined);
  assert.is(statusNumbers('Name:\tx\nGroups:\t4\r5\n', 'Groups'), undefined);
  assert.equal(statusNumbers('Name:\tx\nGroups:\t \n', 'Groups'), []);
});

test('a real thread of such a name', () => {
  const name = '\rGroups:\t4242';
  const script = `printf '%s' "$0" > /proc/self/comm; exec 3< /proc/self/status; cat <&3`;
  // The shell's own builtins write and open, so that the status is that of the renamed shell.
  const { stdout } = spawnSync('bash', ['-c', `${script}`, name], { encoding: 'latin1' });
  assert.is(statusField(stdout, 'Name'), name);
  assert.not.equal(statusNumbers(stdout, 'Groups'), [4242]);
});

test.run();
