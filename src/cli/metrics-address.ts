/** Where `-o metrics=` listens: a port, loopback unless a host is named, or a unix socket. */
import * as net from 'node:net';
import * as path from 'node:path';
import { usageError } from './cli-error.js';

export type MetricsAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

const LOOPBACK = '127.0.0.1';
const PORT_MAX = 65_535;
/** Bytes of sun_path, its NUL included (unix(7)). */
const UNIX_PATH_BYTES = 108;

/** `9464`, `HOST:9464`, `[::1]:9464`, `unix:/PATH`. Throws CliError USAGE. */
export function parseMetricsAddress(text: string): MetricsAddress {
  if (text.startsWith('unix:')) return unixAddress(text.slice('unix:'.length));
  const match = /^(?:(.+):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port < 1 || port > PORT_MAX) {
    throw usageError(
      `-o metrics takes PORT (on ${LOOPBACK}), HOST:PORT or unix:/PATH, not "${text}"`,
    );
  }
  const host = match[1]?.replace(/^\[(.*)\]$/, '$1') ?? LOOPBACK;
  if (host !== 'localhost' && net.isIP(host) === 0) {
    throw usageError(`-o metrics takes an address, not the name "${host}"`);
  }
  return { kind: 'tcp', host, port };
}

function unixAddress(file: string): MetricsAddress {
  if (!path.isAbsolute(file) || Buffer.byteLength(file) >= UNIX_PATH_BYTES) {
    throw usageError(
      `-o metrics=unix: takes an absolute path below ${UNIX_PATH_BYTES} bytes, not "${file}"`,
    );
  }
  return { kind: 'unix', path: file };
}
