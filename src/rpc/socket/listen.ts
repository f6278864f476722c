/** The server's side: accepts connections, each as a channel whose peer is known. */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import createDebug from 'debug';
import type { Channel, Peer } from '../channel.js';
import type { ClientMessage, ServerMessage } from '../session.js';
import { type Address, addressText } from './address.js';
import type { BusyPoll } from './busy-poll.js';
import { directIo } from './direct-io.js';
import { CONNECT_MS, CONNECTIONS_MAX, FIRST_MESSAGE_BYTES_MAX, KEEPALIVE_MS } from './limits.js';
import { clientMessages, serverMessages } from './messages.js';
import { descriptor, listeningSocket, unixPeer } from './peer-credentials.js';
import { SocketChannel, type SocketChannelOptions } from './socket-channel.js';
import { type TlsTexts, tlsOptions, tlsPeer } from './tls.js';
import { listenAtPath } from './unix-socket.js';

export type AcceptChannel = (channel: Channel<ServerMessage, ClientMessage>) => void;

export interface ListenOptions {
  /** Needed for TCP. */
  readonly tls?: TlsTexts | undefined;
  /** Permissions of a unix socket; 0600 unless others than this user may connect. */
  readonly mode?: number | undefined;
  /** Of connections by unix socket. */
  readonly busyPoll?: BusyPoll | undefined;
}

export interface Listening {
  /** With the port that it got, if 0 was asked for. */
  readonly address: Address;
  /** Accepts no more; connections that are there stay. */
  close(): Promise<void>;
}

const MODE = 0o600;

/** Rejects with an Error that says what to do. */
export async function listen(
  address: Address,
  options: ListenOptions,
  accept: AcceptChannel,
): Promise<Listening> {
  const server = makeServer(address.kind, options, accept);
  try {
    if (address.kind === 'unix') await listenAtPath(server, address.path, options.mode ?? MODE);
    else await started(server, { host: address.host, port: address.port });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot listen at ${addressText(address)}: ${why}`, { cause: error });
  }
  return listening(server);
}

/** A socket that listens already, from whoever started this process. */
export async function listenInherited(
  fd: number,
  options: ListenOptions,
  accept: AcceptChannel,
): Promise<Listening> {
  const socket = listeningSocket(fd);
  const server = makeServer(socket.kind, options, accept);
  await started(server, { fd });
  return listening(server, socket.kind === 'unix' ? socket.path : '');
}

function makeServer(
  kind: Address['kind'],
  { tls, busyPoll }: ListenOptions,
  accept: AcceptChannel,
): Server {
  const server = kind === 'unix' ? unixServer(busyPoll, accept) : tlsServer(tls, accept);
  server.maxConnections = CONNECTIONS_MAX;
  return server;
}

function unixServer(busyPoll: BusyPoll | undefined, accept: AcceptChannel): Server {
  return createServer((socket) =>
    accepted(socket, unixPeer, accept, () => ({ direct: directIo(descriptor(socket)), busyPoll })),
  );
}

function tlsServer(tls: TlsTexts | undefined, accept: AcceptChannel): Server {
  if (tls === undefined) {
    throw new Error('tcp: needs a certificate, its key, and the authority of the others');
  }
  const server = createTlsServer(
    { ...tlsOptions(tls), handshakeTimeout: CONNECT_MS },
    (socket: TLSSocket) => {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, KEEPALIVE_MS);
      accepted(socket, tlsPeer, accept);
    },
  );
  server.on('tlsClientError', (error, socket) => {
    debug('refused at the handshake: %s', error.message);
    socket.destroy();
  });
  return server;
}

const debug = createDebug('feedfs:rpc');

function accepted<S extends Socket>(
  socket: S,
  identify: (socket: S) => Peer,
  accept: AcceptChannel,
  more: () => Pick<SocketChannelOptions<never, never>, 'direct' | 'busyPoll'> = () => ({}),
): void {
  let found: Pick<SocketChannelOptions<never, never>, 'peer' | 'direct' | 'busyPoll'>;
  try {
    found = { peer: identify(socket), ...more() };
  } catch (error) {
    debug('refused: %o', error);
    socket.destroy();
    return;
  }
  const codecs = { sends: serverMessages, receives: clientMessages };
  accept(new SocketChannel(socket, { ...found, ...codecs, firstMax: FIRST_MESSAGE_BYTES_MAX }));
}

function started(
  server: Server,
  where: { host: string; port: number } | { fd: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(error);
    server.once('error', failed);
    server.listen(where, () => {
      server.off('error', failed);
      resolve();
    });
  });
}

/** `inherited`: the path of a unix socket that Node did not make, and does not know. */
function listening(server: Server, inherited = ''): Listening {
  // An accept(2) that fails, for want of descriptors, is tried again with the next connection.
  server.on('error', (error) => debug('the listening socket: %s', error.message));
  const at = server.address();
  const address: Address =
    at !== null && typeof at === 'object'
      ? { kind: 'tcp', host: at.address, port: at.port }
      : { kind: 'unix', path: at || inherited };
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      // What is connected would hold the callback back.
      resolve();
    });
  return { address, close };
}
