/** The client's side: one connection to a server. */
import { createConnection, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Channel } from '../channel.js';
import type { ClientMessage, ServerMessage } from '../session.js';
import { type Address, addressText } from './address.js';
import { directIo } from './direct-io.js';
import { CONNECT_MS, KEEPALIVE_MS } from './limits.js';
import { clientMessages, serverMessages } from './messages.js';
import { descriptor, unixPeer } from './peer-credentials.js';
import { SocketChannel } from './socket-channel.js';
import { type TlsTexts, tlsOptions, tlsPeer } from './tls.js';

export interface ConnectOptions {
  /** Needed for TCP. */
  readonly tls?: TlsTexts | undefined;
  /** After so long it is given up; milliseconds. */
  readonly timeoutMs?: number | undefined;
}

/** Rejects with an Error that says what to do. */
export async function connect(
  address: Address,
  options: ConnectOptions = {},
): Promise<Channel<ClientMessage, ServerMessage>> {
  try {
    return await connectOnce(address, options);
  } catch (error) {
    const why = reasonOf(error);
    throw new Error(`cannot connect to ${addressText(address)}: ${why}`, { cause: error });
  }
}

async function connectOnce(
  address: Address,
  { tls, timeoutMs = CONNECT_MS }: ConnectOptions,
): Promise<Channel<ClientMessage, ServerMessage>> {
  const codecs = { sends: clientMessages, receives: serverMessages };
  if (address.kind === 'unix') {
    const socket = createConnection({ path: address.path });
    return await connected(socket, 'connect', timeoutMs, () => {
      return new SocketChannel(socket, {
        peer: unixPeer(socket),
        direct: directIo(descriptor(socket)),
        ...codecs,
      });
    });
  }
  if (tls === undefined) {
    throw new Error('tcp: needs a certificate, its key, and the authority of the server');
  }
  const { host, port } = address;
  const socket = connectTls({ host, port, ...tlsOptions(tls) });
  return await connected(socket, 'secureConnect', timeoutMs, () => {
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEPALIVE_MS);
    return new SocketChannel(socket, { peer: tlsPeer(socket), ...codecs });
  });
}

/** What `make` makes of the socket as soon as it is connected. */
function connected<T>(socket: Socket, event: string, timeoutMs: number, make: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      clearTimeout(timer);
      // Whatever else it says is of no interest.
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    socket.once('error', fail);
    socket.once(event, () => {
      clearTimeout(timer);
      try {
        const made = make();
        socket.off('error', fail);
        resolve(made);
      } catch (error) {
        fail(error);
      }
    });
  });
}

/** Those of node name the address once more. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && error.code;
  if (code === 'ECONNREFUSED') return 'nobody listens there (ECONNREFUSED)';
  if (code === 'ENOENT') return 'there is no such socket (ENOENT)';
  return error.message;
}
