/** Lines of /proc/TID/syscall, and what is made of them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSystemCall } from '../../src/client/system-call.js';

const STACK = '0x7ffd12345678 0x7f0011223344';

function line(number: number, ...args: number[]): string {
  const words = Array.from({ length: 6 }, (_, i) => `0x${(args[i] ?? 0).toString(16)}`);
  return `${number} ${words.join(' ')} ${STACK}\n`;
}

test('opens and their flags, x86-64', () => {
  const flags = (text: string) => parseSystemCall(text, 'x64');
  assert.equal(flags(line(2, 0x1000, 0o102, 0o644)), { kind: 'open', flags: 0o102 });
  assert.equal(flags(line(257, 0xffffff9c, 0x1000, 0o2000001)), { kind: 'open', flags: 0o2000001 });
  assert.equal(flags(line(85, 0x1000, 0o644)), { kind: 'open', flags: 0o1101 });
  assert.equal(flags(line(304, 3, 0x1000, 2)), { kind: 'open', flags: 2 });
  assert.equal(flags(line(437, 0xffffff9c, 0x1000, 0x2000, 24)), {
    kind: 'open',
    flags: undefined,
  });
});

test('opens and their flags, arm64', () => {
  assert.equal(parseSystemCall(line(56, 0xffffff9c, 0x1000, 1), 'arm64'), {
    kind: 'open',
    flags: 1,
  });
  assert.equal(parseSystemCall(line(437, 0, 0), 'arm64'), { kind: 'open', flags: undefined });
  assert.equal(parseSystemCall(line(2, 0, 1), 'arm64'), { kind: 'other' });
});

test('flags are the low half of their register', () => {
  const text = `257 0xffffff9c 0x1000 0xffffffff80008002 0x0 0x0 0x0 ${STACK}\n`;
  assert.equal(parseSystemCall(text, 'x64'), { kind: 'open', flags: 0x80008002 });
});

test('execs, reads of attributes, and the rest', () => {
  assert.equal(parseSystemCall(line(59), 'x64'), { kind: 'exec' });
  assert.equal(parseSystemCall(line(322), 'x64'), { kind: 'exec' });
  assert.equal(parseSystemCall(line(221), 'arm64'), { kind: 'exec' });
  for (const number of [191, 192, 193, 464]) {
    assert.equal(parseSystemCall(line(number), 'x64'), { kind: 'getxattr' });
  }
  // newfstatat, access, faccessat2, chdir, read
  for (const number of [262, 21, 439, 80, 0]) {
    assert.equal(parseSystemCall(line(number), 'x64'), { kind: 'other' });
  }
});

test('what cannot be known is not guessed', () => {
  for (const text of [
    'running\n',
    '-1 0x7ffd12345678 0x7f0011223344\n',
    '',
    'x 1 2\n',
    // A 32-bit program, whose numbers are others: its stack is low.
    '5 0x1000 0x0 0x0 0x0 0x0 0x0 0xffffd000 0xf7f00000\n',
    line(426),
    `NaN 0x0 0x0 0x0 0x0 0x0 0x0 ${STACK}\n`,
  ]) {
    assert.is(parseSystemCall(text, 'x64'), undefined, text);
  }
  assert.is(parseSystemCall(line(257), 'riscv64'), undefined);
});

test.run();
