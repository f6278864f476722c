/** Nothing that somebody else wrote acts on a terminal. */
import { PassThrough } from 'node:stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { harmlessText, printableText } from '../../src/base/printable.js';
import { Output } from '../../src/cli/output.js';

test('on one line', () => {
  assert.is(printableText('plain ü 文'), 'plain ü 文');
  assert.is(printableText('a\n\tb\u001b[2J\u007f\u009b\\'), 'a\\x0a\\x09b\\x1b[2J\\x7f\\x9b\\x5c');
});

test('messages keep their lines, and what was made printable before', () => {
  assert.is(harmlessText('a\n\tb \\x1b'), 'a\n\tb \\x1b');
  assert.is(harmlessText('\u001b]0;title\u0007\r\u009b'), '\\x1b]0;title\\x07\\x0d\\x9b');
});

test('a message of a command', () => {
  const stderr = new PassThrough();
  new Output({ stdout: new PassThrough(), stderr, color: false }).message('feed \u001b[2J');
  assert.is(String(stderr.read()), 'feedfs: feed \\x1b[2J\n');
});

test.run();
