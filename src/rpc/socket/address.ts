/** Where a metadata server listens, as text: `unix:PATH` or `tcp:HOST:PORT` (`tcp:[::1]:988`). */
import { SOCKET_PATH_BYTES_MAX } from './limits.js';

export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

const TCP = /^(?:\[([0-9a-fA-F:.]+)\]|([^[\]:]+)):([0-9]{1,5})$/;
const PORT_MAX = 65_535;

/** Error with what would be right. */
export function parseAddress(text: string): Address {
  if (text.startsWith('unix:')) return { kind: 'unix', path: checkedPath(text.slice(5)) };
  if (!text.startsWith('tcp:')) {
    throw new Error(`${JSON.stringify(text)} is no address: unix:PATH or tcp:HOST:PORT`);
  }
  const [, literal, name, digits] = TCP.exec(text.slice(4)) ?? [];
  const host = literal ?? name;
  const port = Number(digits);
  if (host === undefined || port > PORT_MAX) {
    throw new Error(
      `${JSON.stringify(text)} is no address: tcp:HOST:PORT, with a port up to ${PORT_MAX}` +
        ' and brackets around an IPv6 address',
    );
  }
  return { kind: 'tcp', host, port };
}

export function addressText(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `tcp:${host}:${address.port}`;
}

function checkedPath(path: string): string {
  if (path === '' || path.includes('\0')) throw new Error('unix: needs the path of a socket');
  const length = Buffer.byteLength(path);
  if (length > SOCKET_PATH_BYTES_MAX) {
    throw new Error(
      `the path of a unix socket has at most ${SOCKET_PATH_BYTES_MAX} bytes, this one ${length}: ${path}`,
    );
  }
  return path;
}
