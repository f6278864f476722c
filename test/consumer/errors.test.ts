/** The names under which a consumer is told of failed calls. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FeedError, fromNodeError, hasEnded, systemError } from '../../src/consumer/errors.js';

const EIDRM = 43;
const ECONNABORTED = 103;
const ENOTCONN = 107;

function nodeError(code: string, errno: number): Error {
  return Object.assign(new Error(`${code}: read`), { code, errno: -errno, syscall: 'read' });
}

function codeOf(error: unknown): string {
  assert.instance(error, FeedError);
  const { code, message, path } = error as FeedError;
  assert.is(path, '/f');
  assert.ok(message.startsWith(`${code}: `), message);
  return code;
}

test('a daemon that is gone has one name, whatever the kernel says to a call under way', () => {
  for (const errno of [ECONNABORTED, ENOTCONN]) {
    assert.is(codeOf(systemError(errno, 'pread', '/f', 7)), 'ENOTCONN');
  }
  assert.is(codeOf(fromNodeError(nodeError('ECONNABORTED', ECONNABORTED), '/f')), 'ENOTCONN');
  assert.is(codeOf(fromNodeError(nodeError('ENOTCONN', ENOTCONN), '/f')), 'ENOTCONN');
});

test('an errno that Node has no name for', () => {
  assert.is(codeOf(systemError(EIDRM, 'open', '/f')), 'EIDRM');
  assert.is(codeOf(fromNodeError(nodeError('Unknown system error -43', EIDRM), '/f')), 'EIDRM');
});

test('a feed that has ended is told by its open files only', () => {
  const ended = [systemError(19, 'lseek', '/f'), fromNodeError(nodeError('ENOENT', 2), '/f')];
  assert.equal(ended.map(hasEnded), [true, false]);
  const gone = Object.assign(nodeError('ENOENT', 2), { syscall: 'fstat' });
  assert.ok(hasEnded(fromNodeError(gone, '/f')));
  assert.not(hasEnded(new TypeError('x')));
});

test('other errors keep their names, and what is no system call is left alone', () => {
  assert.is(codeOf(systemError(2, 'open', '/f')), 'ENOENT');
  assert.is(codeOf(fromNodeError(nodeError('EACCES', 13), '/f')), 'EACCES');
  const other = new TypeError('x');
  assert.is(fromNodeError(other, '/f'), other);
});

test.run();
