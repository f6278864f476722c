/** TCP: TLS 1.3 with certificates on both sides, and nothing else. */
import { X509Certificate } from 'node:crypto';
import { createConnection } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connect } from '../../../src/rpc/socket/connect.js';
import { type AcceptChannel, type Listening, listen } from '../../../src/rpc/socket/listen.js';
import type { TlsTexts } from '../../../src/rpc/socket/tls.js';
import { Authority } from './support/certificates.js';
import { committed, Inbox, type ServerChannel, someCall } from './support/ends.js';

const ours = new Authority('ours');
const theirs = new Authority('theirs');
const server = ours.sign('server');
const client = ours.sign('client 1');

test.after(() => {
  ours.remove();
  theirs.remove();
});

async function withServer(
  run: (port: number, accepted: ServerChannel[]) => Promise<void>,
  { texts = server, host = '127.0.0.1' } = {},
): Promise<void> {
  const accepted: ServerChannel[] = [];
  const accept: AcceptChannel = (channel) => {
    accepted.push(channel);
    const inbox = new Inbox(channel);
    void inbox.count(1).then(() => channel.send(committed(1)));
  };
  const listening: Listening = await listen({ kind: 'tcp', host, port: 0 }, { tls: texts }, accept);
  try {
    assert.ok(listening.address.kind === 'tcp');
    await run(listening.address.port, accepted);
  } finally {
    for (const channel of accepted) channel.close('the test is over');
    await listening.close();
  }
}

/** What becomes of a client with these: the reason for its end, or `answered`. */
async function attempt(port: number, tls: TlsTexts, host = 'localhost'): Promise<string> {
  try {
    const channel = await connect({ kind: 'tcp', host, port }, { tls });
    const inbox = new Inbox(channel);
    channel.send(someCall(1));
    await inbox.count(1);
    const end = inbox.closed ?? 'answered';
    channel.close('done');
    return end;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test('both ends know the certificate of the other', async () => {
  await withServer(async (port, accepted) => {
    const channel = await connect({ kind: 'tcp', host: '127.0.0.1', port }, { tls: client });
    const inbox = new Inbox(channel);
    channel.send(someCall(1));
    await inbox.count(1);
    assert.equal(inbox.messages, [committed(1)]);
    const fingerprint = (texts: TlsTexts): string =>
      new X509Certificate(texts.cert).fingerprint256.replaceAll(':', '').toLowerCase();
    const [peer, own] = [accepted[0]?.peer, channel.peer];
    assert.ok(peer?.kind === 'tls' && own.kind === 'tls');
    assert.equal([peer.name, peer.fingerprint], ['client 1', fingerprint(client)]);
    assert.equal([own.name, own.fingerprint], ['server', fingerprint(server)]);
    assert.match(peer.address, /127\.0\.0\.1/);
    channel.close('done');
    await inbox.ended();
  });
});

test("a client with another authority's certificate, or an expired one, reaches nobody", async () => {
  await withServer(async (port, accepted) => {
    const foreign = theirs.sign('client 1', { ca: ours.certificate });
    const expired = ours.sign('client 1', { days: -1 });
    for (const texts of [foreign, expired]) {
      assert.is.not(await attempt(port, texts), 'answered');
    }
    assert.is(accepted.length, 0);
    assert.is(await attempt(port, client), 'answered');
  });
});

test('a client refuses a server of another authority, and one of another name', async () => {
  const foreign = theirs.sign('server', { ca: ours.certificate });
  await withServer(
    async (port) => {
      assert.match(await attempt(port, client), /certificate/);
    },
    { texts: foreign },
  );
  await withServer(
    async (port) => {
      assert.match(await attempt(port, client, '127.0.0.2'), /does not match/);
    },
    { host: '0.0.0.0' },
  );
});

test('a connection without a certificate is not accepted', async () => {
  await withServer(async (port, accepted) => {
    const socket = connectTls({ host: '127.0.0.1', port, ca: ours.certificate });
    await new Promise((resolve) => {
      socket.on('error', resolve);
      socket.on('close', resolve);
      socket.on('data', resolve);
    });
    socket.destroy();
    assert.is(accepted.length, 0);
  });
});

test('neither is an older version of TLS', async () => {
  await withServer(async (port, accepted) => {
    const socket = connectTls({ host: '127.0.0.1', port, ...client, maxVersion: 'TLSv1.2' });
    const error = await new Promise<Error>((resolve) => socket.on('error', resolve));
    assert.match(error.message, /version/i);
    assert.is(accepted.length, 0);
  });
});

test('nor anything that is no TLS', async () => {
  await withServer(async (port, accepted) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await new Promise((resolve) => {
      socket.on('error', resolve);
      socket.on('close', resolve);
    });
    assert.is(accepted.length, 0);
  });
});

test('there is no TCP without certificates', async () => {
  const address = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
  for (const run of [() => listen(address, {}, () => {}), () => connect(address)]) {
    let why = '';
    await run().catch((error: unknown) => {
      why = String(error);
    });
    assert.match(why, /tcp: needs a certificate/);
  }
});

test('a server that does not answer the handshake is given up', async () => {
  const silent = (await import('node:net')).createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const at = silent.address();
  assert.ok(at !== null && typeof at === 'object');
  const address = { kind: 'tcp', host: '127.0.0.1', port: at.port } as const;
  let why = '';
  await connect(address, { tls: client, timeoutMs: 50 }).catch((error: unknown) => {
    why = String(error);
  });
  assert.match(why, /no answer in 50 ms/);
  silent.close();
});

test.run();
