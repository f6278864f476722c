/** Channels over sockets: order, pauses, turns, ends. */
import { Duplex } from 'node:stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClientMessage, ServerMessage } from '../../../src/rpc/session.js';
import { writeFrame } from '../../../src/rpc/socket/frame.js';
import { MESSAGES_PER_TURN, QUEUED_BYTES_MAX } from '../../../src/rpc/socket/limits.js';
import { clientMessages, serverMessages } from '../../../src/rpc/socket/messages.js';
import { SocketChannel } from '../../../src/rpc/socket/socket-channel.js';
import { WireError } from '../../../src/rpc/socket/wire-error.js';
import { scratchWriter } from '../../../src/rpc/socket/writer.js';
import { committed, Inbox, someCall, withUnixServer } from './support/ends.js';

/** A stream that shows what is written, and says what the test says. */
class FakeStream extends Duplex {
  readonly writes: Buffer[] = [];
  readonly order: string[];
  readonly #name: string;
  #done: (() => void) | undefined;
  /** It takes nothing more. */
  stuck = false;

  constructor(name = '', order: string[] = []) {
    super();
    this.#name = name;
    this.order = order;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes.push(chunk);
    this.order.push(this.#name);
    if (this.stuck) this.#done = done;
    else done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#done?.();
    done(error);
  }
}

function serverChannel(stream: Duplex) {
  return new SocketChannel<ServerMessage, ClientMessage>(stream, {
    peer: { kind: 'local' },
    sends: serverMessages,
    receives: clientMessages,
  });
}

function frames(messages: readonly ClientMessage[]): Buffer {
  const out = scratchWriter();
  for (const message of messages) writeFrame(out, clientMessages, message);
  return Buffer.from(out.view());
}

function calls(count: number): ClientMessage[] {
  return Array.from({ length: count }, (_, i) => someCall(i + 1));
}

const microtask = (): Promise<void> => Promise.resolve();
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test('messages arrive in order, both ways', async () => {
  await withUnixServer(async ({ pair }) => {
    const { client, server } = await pair();
    const [atClient, atServer] = [new Inbox(client), new Inbox(server)];
    for (let i = 1; i <= 500; i++) client.send(someCall(i));
    for (let i = 1; i <= 500; i++) server.send(committed(i));
    await Promise.all([atServer.count(500), atClient.count(500)]);
    assert.equal(
      atServer.messages.map((message) => message.kind === 'call' && message.xid),
      Array.from({ length: 500 }, (_, i) => i + 1),
    );
    assert.equal(
      atClient.messages,
      Array.from({ length: 500 }, (_, i) => committed(i + 1)),
    );
  });
});

test('what is sent within one turn goes out in one write each, in the order of the first', async () => {
  const order: string[] = [];
  const [a, b] = [new FakeStream('a', order), new FakeStream('b', order)];
  const [toA, toB] = [serverChannel(a), serverChannel(b)];
  toB.send(committed(1));
  toA.send(committed(2));
  toB.send(committed(3));
  assert.equal(order, []);
  assert.ok(toA.queuedBytes > 0);
  await microtask();
  assert.equal(order, ['b', 'a']);
  toA.send(committed(4));
  await microtask();
  assert.equal(order, ['b', 'a', 'a']);
});

test('what came before the end is delivered, and then the end', async () => {
  await withUnixServer(async ({ pair }) => {
    const { client, server } = await pair();
    const atServer = new Inbox(server);
    for (let i = 1; i <= 300; i++) client.send(someCall(i));
    client.close('done');
    client.send(someCall(301));
    const atClient = new Inbox(client);
    assert.is(await atServer.ended(), 'the other side closed the connection');
    assert.is(atServer.messages.length, 300);
    assert.is(await atClient.ended(), 'done');
    client.send(someCall(302));
    client.close('again');
    assert.is(client.queuedBytes, 0);
  });
});

test('one that is paused delivers nothing and reads no further; then everything', async () => {
  await withUnixServer(async ({ pair }) => {
    const { client, server } = await pair();
    const atServer = new Inbox(server);
    client.send(someCall(1));
    await atServer.count(1);
    server.pause();
    const bulk = 100_000;
    for (let i = 2; i <= bulk; i++) client.send(someCall(i));
    for (let i = 0; i < 50; i++) await turn();
    assert.is(atServer.messages.length, 1);
    // What the sockets have no room for stays with the sender.
    assert.ok(client.queuedBytes > 0);
    server.resume();
    await atServer.count(bulk);
    assert.is(atServer.messages.length, bulk);
  });
});

test('who pauses in the middle of what came gets the rest after resuming', async () => {
  const stream = new FakeStream();
  const channel = serverChannel(stream);
  let count = 0;
  channel.listen({
    message: () => {
      count++;
      if (count === 3) channel.pause();
    },
    closed: () => {},
  });
  stream.push(frames(calls(10)));
  await turn();
  assert.is(count, 3);
  channel.resume();
  await turn();
  await turn();
  assert.is(count, 10);
});

test('a flood is handled in turns', async () => {
  const stream = new FakeStream();
  const channel = serverChannel(stream);
  const counts: number[] = [];
  let count = 0;
  channel.listen({
    message: () => {
      count++;
      if (count % MESSAGES_PER_TURN === 1) setImmediate(() => counts.push(count));
    },
    closed: () => {},
  });
  stream.push(frames(calls(3 * MESSAGES_PER_TURN)));
  while (counts.length < 3) await turn();
  assert.is(count, 3 * MESSAGES_PER_TURN);
  // Whoever has a turn between sees that not everything was handled at once.
  assert.is(counts[0], MESSAGES_PER_TURN);
});

test('a bad message ends the connection with a reason, and nothing after it is taken', async () => {
  const stream = new FakeStream();
  const inbox = new Inbox(serverChannel(stream));
  const bad = frames(calls(2));
  bad[bad.length - 1] = 0;
  stream.push(Buffer.concat([bad, frames(calls(1))]));
  assert.match(await inbox.ended(), /damaged/);
  assert.is(inbox.messages.length, 1);
});

test('a stranger is told from a client', async () => {
  const stream = new FakeStream();
  const inbox = new Inbox(serverChannel(stream));
  stream.push(Buffer.from('GET / HTTP/1.1\r\nHost: feedfs\r\n\r\n'));
  assert.match(await inbox.ended(), /does not speak the protocol/);
});

test('who does not read is ended when too much waits for it', async () => {
  const stream = new FakeStream();
  stream.stuck = true;
  const channel = serverChannel(stream);
  const inbox = new Inbox(channel);
  const big: ServerMessage = { kind: 'evicted', reason: 'x'.repeat(4_000) };
  let sent = 0;
  while (inbox.closed === undefined && sent < QUEUED_BYTES_MAX) {
    for (let i = 0; i < 500; i++) {
      channel.send(big);
      sent += 4_000;
    }
    await turn();
  }
  assert.match(inbox.closed ?? '', /wait for the other side/);
  assert.ok(sent >= QUEUED_BYTES_MAX - 500 * 4_000, `after ${sent} bytes`);
});

test('what cannot be said is the fault of who says it, and disturbs nothing', async () => {
  const stream = new FakeStream();
  const channel = serverChannel(stream);
  channel.send(committed(1));
  assert.throws(
    () => channel.send(committed(-1)),
    (error: unknown) => error instanceof WireError,
  );
  channel.send(committed(2));
  await microtask();
  const once = new FakeStream();
  const other = serverChannel(once);
  other.send(committed(1));
  other.send(committed(2));
  await microtask();
  assert.equal(stream.writes, once.writes);
});

test("a handler's own failure is not taken for the other side's", async () => {
  const stream = new FakeStream();
  const channel = serverChannel(stream);
  let closed = false;
  channel.listen({
    message: () => {
      throw new WireError('of the handler');
    },
    closed: () => {
      closed = true;
    },
  });
  let thrown: unknown;
  process.once('uncaughtException', (error) => {
    thrown = error;
  });
  stream.push(frames(calls(1)));
  await turn();
  await turn();
  assert.ok(thrown instanceof WireError);
  assert.not(closed);
});

test('a connection that breaks tells why, once', async () => {
  const stream = new FakeStream();
  const inbox = new Inbox(serverChannel(stream));
  stream.destroy(new Error('cable cut'));
  assert.is(await inbox.ended(), 'cable cut');
});

test('an end before anybody listens is told to who listens', async () => {
  const stream = new FakeStream();
  const channel = serverChannel(stream);
  stream.destroy(new Error('cable cut'));
  await turn();
  assert.is(await new Inbox(channel).ended(), 'cable cut');
});

test.run();
