import * as fs from 'node:fs';
import koffi from 'koffi';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Poller } from '../../src/consumer/poller.js';

const pipe2 = koffi.load(null).func('int pipe2(_Out_ int *fds, int flags)');

/** Both ends of a new pipe. */
function makePipe(): { readonly reader: number; readonly writer: number } {
  const fds = [-1, -1];
  assert.is(pipe2(fds, fs.constants.O_NONBLOCK), 0);
  const [reader = -1, writer = -1] = fds;
  return { reader, writer };
}

test('readable, and hangup once the other end is closed', async () => {
  const poller = new Poller();
  const { reader, writer } = makePipe();
  const first = poller.wait(reader);
  fs.writeSync(writer, 'x');
  assert.is(await first, 'readable');
  fs.readSync(reader, Buffer.alloc(1));
  const second = poller.wait(reader);
  fs.closeSync(writer);
  assert.is(await second, 'hangup');
  fs.closeSync(reader);
});

test('abort ends a wait, and leaves the others waiting', async () => {
  const poller = new Poller();
  const { reader, writer } = makePipe();
  const stop = new AbortController();
  const aborted = poller.wait(reader, stop.signal);
  const waiting = poller.wait(reader);
  stop.abort();
  assert.is(await aborted, 'aborted');
  fs.writeSync(writer, 'x');
  assert.is(await waiting, 'readable');
  assert.is(await poller.wait(reader, AbortSignal.abort()), 'aborted');
  fs.closeSync(reader);
  fs.closeSync(writer);
});

test('a hundred waiters share one thread: the rest of the pool stays free', async () => {
  const poller = new Poller();
  const pipes = Array.from({ length: 100 }, makePipe);
  const waits = pipes.map(({ reader }) => poller.wait(reader));
  // More than the pool's four threads: this would never end if each waiter held one.
  await Promise.all(Array.from({ length: 8 }, () => fs.promises.stat('/')));
  for (const { writer } of pipes) fs.writeSync(writer, 'x');
  assert.ok((await Promise.all(waits)).every((readiness) => readiness === 'readable'));
  for (const { reader, writer } of pipes) {
    fs.closeSync(reader);
    fs.closeSync(writer);
  }
});

test('a descriptor that is not open is a hangup', async () => {
  assert.is(await new Poller().wait(9999), 'hangup');
});

test.run();
