/** The transport within one process: one answer each, errors as errnos, notices. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno, FsError } from '../../src/base/errno.js';
import { ROOT_FID } from '../../src/base/fid.js';
import { LocalConnection } from '../../src/rpc/local.js';
import type { Notice, Service } from '../../src/rpc/messages.js';

/** A service of which only what the test needs exists. */
function connect(service: Partial<Service>): LocalConnection {
  return new LocalConnection(service as Service);
}

function parentOf(service: Partial<Service>): [number, unknown][] {
  const answers: [number, unknown][] = [];
  connect(service).call('parent', { fid: ROOT_FID }, (errno, result) => {
    answers.push([errno, result]);
  });
  return answers;
}

test('an answer is passed on', () => {
  assert.equal(parentOf({ parent: ({ fid }, answer) => answer(0, fid) }), [[0, ROOT_FID]]);
});

test('a second answer is dropped', () => {
  const twice: Partial<Service> = {
    parent: ({ fid }, answer) => {
      answer(0, fid);
      answer(Errno.EIO, undefined);
    },
  };
  assert.equal(parentOf(twice), [[0, ROOT_FID]]);
});

test('a refusal that is thrown becomes its errno', () => {
  const refuses: Partial<Service> = {
    parent: () => {
      throw new FsError(Errno.ENOTDIR, 'test');
    },
  };
  assert.equal(parentOf(refuses), [[Errno.ENOTDIR, undefined]]);
});

test('any other error becomes EIO, and is told to whoever runs the server', () => {
  const log = console.error;
  const told: unknown[] = [];
  console.error = (...words: unknown[]) => told.push(words);
  try {
    const fails: Partial<Service> = {
      parent: () => {
        throw new Error('a bug');
      },
    };
    assert.equal(parentOf(fails), [[Errno.EIO, undefined]]);
  } finally {
    console.error = log;
  }
  assert.is(told.length, 1);
});

test('an error of the one who is answered is not the answer', () => {
  const connection = connect({ parent: ({ fid }, answer) => answer(0, fid) });
  let answers = 0;
  const failing = (): void => {
    answers++;
    throw new Error('in the client');
  };
  assert.throws(() => connection.call('parent', { fid: ROOT_FID }, failing), /in the client/);
  assert.is(answers, 1);
});

test('notices reach every listener', () => {
  const connection = connect({});
  const heard: Notice[] = [];
  connection.onNotice((notice) => heard.push(notice));
  connection.onNotice((notice) => heard.push(notice));
  connection.notify({ kind: 'feed-ended', id: 3 });
  assert.equal(heard, [
    { kind: 'feed-ended', id: 3 },
    { kind: 'feed-ended', id: 3 },
  ]);
});

test.run();
