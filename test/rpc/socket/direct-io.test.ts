/** Channels that read and write their socket past the stream. */
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClientMessage, ServerMessage } from '../../../src/rpc/session.js';
import { type DirectIo, directIo } from '../../../src/rpc/socket/direct-io.js';
import { writeFrame } from '../../../src/rpc/socket/frame.js';
import { clientMessages, serverMessages } from '../../../src/rpc/socket/messages.js';
import { descriptor } from '../../../src/rpc/socket/peer-credentials.js';
import { SocketChannel } from '../../../src/rpc/socket/socket-channel.js';
import { scratchWriter } from '../../../src/rpc/socket/writer.js';
import { withFolder } from '../../support/mount.js';
import { committed, Inbox, someCall } from './support/ends.js';

/** What is written, in order, by whichever way: `d` past the stream, `s` by it. */
class Ends extends Duplex implements DirectIo {
  readonly written: string[] = [];
  readonly arrived: Buffer[] = [];
  /** What the socket takes at a time. */
  room = Number.POSITIVE_INFINITY;
  /** The stream keeps what it is given. */
  stuck = false;
  #done: (() => void) | undefined;

  receive(): Buffer | undefined {
    return this.arrived.shift();
  }

  send(bytes: Buffer): number {
    const count = Math.min(this.room, bytes.length);
    if (count > 0) this.written.push(`d${count}`);
    return count;
  }

  release(): void {
    this.stuck = false;
    this.#done?.();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(`s${chunk.length}`);
    if (this.stuck) this.#done = done;
    else done();
  }
}

function channelOf(ends: Ends) {
  return new SocketChannel<ServerMessage, ClientMessage>(ends, {
    peer: { kind: 'local' },
    sends: serverMessages,
    receives: clientMessages,
    direct: ends,
  });
}

const FRAME = frame(committed(1), serverMessages).length;

function frame<T>(message: T, codec: Parameters<typeof writeFrame<T>>[1]): Buffer {
  const out = scratchWriter();
  out.truncate(0);
  writeFrame(out, codec, message);
  return Buffer.from(out.view());
}

test('what is sent goes out at once when it is polled, and the rest of what did not fit by the stream', () => {
  const ends = new Ends();
  const channel = channelOf(ends);
  channel.send(committed(1));
  assert.equal(ends.written, []);
  channel.poll();
  assert.equal(ends.written, [`d${FRAME}`]);
  ends.room = 5;
  channel.send(committed(1));
  channel.poll();
  assert.equal(ends.written.slice(1), ['d5', `s${FRAME - 5}`]);
});

test('nothing overtakes what the stream has not sent yet', async () => {
  const ends = new Ends();
  const channel = channelOf(ends);
  ends.room = 0;
  ends.stuck = true;
  channel.send(committed(1));
  channel.poll();
  ends.room = Number.POSITIVE_INFINITY;
  channel.send(committed(1));
  channel.poll();
  assert.equal(ends.written, [`s${FRAME}`], 'the second waits behind the first');
  ends.release();
  await new Promise((resolve) => setImmediate(resolve));
  channel.send(committed(1));
  channel.poll();
  assert.equal(ends.written, [`s${FRAME}`, `s${FRAME}`, `d${FRAME}`]);
});

test('what has come is taken when it is polled, but not from a channel that is paused', () => {
  const ends = new Ends();
  const channel = channelOf(ends);
  const inbox = new Inbox(channel);
  assert.not(channel.poll());
  ends.arrived.push(frame(someCall(1), clientMessages), frame(someCall(2), clientMessages));
  assert.ok(channel.poll());
  assert.is(inbox.messages.length, 1);
  channel.pause();
  assert.not(channel.poll());
  assert.equal([inbox.messages.length, ends.arrived.length], [1, 1]);
});

test('a frame that comes by both ways is one message', () => {
  const ends = new Ends();
  const channel = channelOf(ends);
  const inbox = new Inbox(channel);
  const whole = frame(someCall(1), clientMessages);
  ends.arrived.push(whole.subarray(0, 7));
  channel.poll();
  ends.emit('data', whole.subarray(7));
  assert.is(inbox.messages.length, 1);
});

test('a socket that Node reads as well: bytes are taken once, and an empty one and its end are nothing', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'socket');
    const server = createServer();
    const accepted = new Promise<import('node:net').Socket>((resolve) =>
      server.once('connection', resolve),
    );
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const socket = createConnection({ path });
    const other = await accepted;
    const io = directIo(descriptor(socket));
    assert.is(io.receive(), undefined);
    assert.is(directIo(descriptor(other)).send(Buffer.from('hello')), 5);
    assert.equal(io.receive(), Buffer.from('hello'));
    assert.is(io.receive(), undefined);
    const ended = new Promise((resolve) => socket.resume().once('end', resolve));
    other.end();
    await ended;
    assert.is(io.receive(), undefined);
    socket.destroy();
    server.close();
  }));

test.run();
