/** The connection within a process: manual and scheduled delivery, lost and repeated messages, cuts. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ChannelPairOptions, channelPair } from '../../../src/rpc/socket/channel-pair.js';
import { WireError } from '../../../src/rpc/socket/wire-error.js';
import { committed, Inbox, someCall } from './support/ends.js';

function pair(options: ChannelPairOptions = {}) {
  const made = channelPair(options);
  return { ...made, atClient: new Inbox(made.client), atServer: new Inbox(made.server) };
}

function xids(inbox: { readonly messages: readonly { kind: string }[] }): unknown[] {
  return inbox.messages.map((message) => ('xid' in message ? message.xid : message.kind));
}

test('nothing arrives until it is pumped, and what answers it only with the next', () => {
  const { client, server, atServer, atClient, pump } = pair();
  client.send(someCall(1));
  server.send(committed(1));
  assert.ok(client.queuedBytes > 0);
  assert.equal([atServer.messages, atClient.messages], [[], []]);
  assert.is(pump(), 2);
  assert.equal(xids(atServer), [1]);
  assert.equal(atClient.messages, [committed(1)]);
  assert.is(client.queuedBytes, 0);
  assert.is(pump(), 0);
});

test('messages are copies: what is sent may be changed afterwards', () => {
  const { server, atClient, pump } = pair();
  const message = { kind: 'committed' as const, transno: 1 };
  server.send(message);
  message.transno = 2;
  pump();
  assert.equal(atClient.messages, [committed(1)]);
  assert.throws(
    () => server.send(committed(-1)),
    (error: unknown) => error instanceof WireError,
  );
});

test('a scheduler delivers in order', () => {
  const due: (() => void)[] = [];
  const { client, atServer } = pair({ schedule: (deliver) => due.push(deliver) });
  for (let i = 1; i <= 3; i++) client.send(someCall(i));
  due.pop()?.();
  assert.equal(xids(atServer), [1]);
  for (const deliver of due) deliver();
  assert.equal(xids(atServer), [1, 2, 3]);
});

test('messages can be lost, repeated, and come later than others', () => {
  let late: (() => void) | undefined;
  const { client, atServer, pump } = pair({
    onClientMessage: (message, deliver) => {
      if (message.kind !== 'call') return;
      if (message.xid === 2) deliver();
      if (message.xid === 3) late = deliver;
      else if (message.xid !== 1) deliver();
    },
  });
  for (let i = 1; i <= 4; i++) client.send(someCall(i));
  pump();
  late?.();
  assert.equal(xids(atServer), [2, 2, 4, 3]);
});

test('a cut loses what is on its way, and both learn of it', () => {
  const { client, server, atServer, atClient, cut, pump } = pair();
  client.send(someCall(1));
  cut('the cable');
  assert.is(pump(), 0);
  assert.equal([atServer.closed, atClient.closed], ['the cable', 'the cable']);
  assert.equal(atServer.messages, []);
  client.send(someCall(2));
  server.close('later');
  assert.is(pump(), 0);
  assert.is(client.queuedBytes, 0);
});

test('a close comes after what was sent before it', () => {
  const { client, atServer, atClient, pump } = pair();
  client.send(someCall(1));
  client.close('done');
  client.send(someCall(2));
  assert.is(atServer.closed, undefined);
  pump();
  assert.equal(xids(atServer), [1]);
  assert.equal([atServer.closed, atClient.closed], ['done', 'done']);
});

test('what is for one that is paused stays, the other direction goes on', () => {
  const { client, server, atServer, atClient, pump } = pair();
  server.pause();
  client.send(someCall(1));
  server.send(committed(1));
  assert.is(pump(), 1);
  assert.equal([atServer.messages.length, atClient.messages.length], [0, 1]);
  server.resume();
  assert.is(pump(), 1);
  assert.equal(xids(atServer), [1]);
});

test('with a scheduler, one that resumes gets what came meanwhile', () => {
  const due: (() => void)[] = [];
  const { client, server, atServer } = pair({ schedule: (deliver) => due.push(deliver) });
  const run = (): void => {
    for (const deliver of due.splice(0)) deliver();
  };
  server.pause();
  client.send(someCall(1));
  client.send(someCall(2));
  run();
  assert.equal(atServer.messages, []);
  server.resume();
  run();
  assert.equal(xids(atServer), [1, 2]);
});

test('what comes before anybody listens waits for who does', () => {
  const { client, server, pump } = channelPair();
  client.send(someCall(1));
  client.close('done');
  pump();
  const late = new Inbox(server);
  assert.equal(xids(late), [1]);
  assert.is(late.closed, 'done');
});

test.run();
