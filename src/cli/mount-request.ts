/** What `feedfs mount` was asked for: a store, or what a server serves. */
import * as path from 'node:path';
import type { OpenRecovery } from '../rpc/session.js';
import type { Address } from '../rpc/socket/address.js';
import { SOCKET_PATH_BYTES_MAX } from '../rpc/socket/limits.js';
import type { Arguments } from './arguments.js';
import { usageError } from './cli-error.js';
import type { Context } from './command.js';
import type { MountOptions } from './mount-options.js';
import { absolutePath, isWithin } from './mounts.js';
import type { TlsFiles } from './serve/options.js';
import { HA_SOCKET } from './serve/place.js';
import { absoluteAddress, addressOption } from './server-address.js';
import { TLS_OPTIONS, tlsFiles } from './tls-options.js';

interface Common extends MountOptions {
  readonly mountpoint: string;
  /** Where messages go. */
  readonly log: string | undefined;
}

export interface StoreRequest extends Common {
  readonly kind: 'store';
  readonly store: string;
}

export interface ServerRequest extends Common {
  readonly kind: 'server';
  readonly address: Address;
  readonly tls: TlsFiles | undefined;
  readonly opens: OpenRecovery;
  readonly throughServer: boolean;
}

export type MountRequest = StoreRequest | ServerRequest;

/** Throws USAGE. */
export function mountRequest(
  args: Arguments,
  { cwd }: Context,
  options: MountOptions,
): MountRequest {
  const log = args.value('log');
  const common = { ...options, log: log === undefined ? undefined : absolutePath(log, cwd) };
  const mds = args.value('mds');
  if (mds !== undefined) return { ...common, ...serverRequest(args, cwd, mds, options) };
  for (const name of [...TLS_OPTIONS.map((option) => option.name), 'recovery']) {
    if (args.value(name) !== undefined) throw usageError(`--${name} needs --mds`);
  }
  if (args.has('through-server')) throw usageError('--through-server needs --mds');
  const store = absolutePath(args.required('STORE'), cwd);
  const mountpoint = args.optional('MNT');
  if (mountpoint === undefined) throw usageError('MNT is missing');
  if (options.ha) {
    checkOwnDriver('-o ha', options);
    checkSocketPath(store);
  }
  const mounted = absolutePath(mountpoint, cwd);
  checkPlaces(store, mounted);
  return { kind: 'store', ...common, store, mountpoint: mounted };
}

function serverRequest(
  args: Arguments,
  cwd: string,
  mds: string,
  options: MountOptions,
): Omit<ServerRequest, keyof MountOptions | 'log'> {
  const extra = args.optional('MNT');
  if (extra !== undefined) throw usageError(`with --mds only MNT is given, not also "${extra}"`);
  if (options.ha) throw usageError('-o ha starts a server of its own: it needs a STORE, not --mds');
  if (options.visibility !== 'disk' || options.userWatch) {
    throw usageError('-o visibility and -o user_watch are for the server: feedfs mds has them');
  }
  checkOwnDriver('--mds', options);
  const address = absoluteAddress(addressOption(mds, '--mds'), cwd);
  return {
    kind: 'server',
    mountpoint: absolutePath(args.required('STORE'), cwd),
    address,
    tls: tlsFiles(args, cwd, address.kind === 'tcp'),
    opens: opensOf(args.value('recovery')),
    throughServer: args.has('through-server'),
  };
}

function checkOwnDriver(what: string, { driver }: MountOptions): void {
  if (driver !== 'feedfs') throw usageError(`${what} is not possible with driver=${driver}`);
}

function opensOf(text = 'reconstruct'): OpenRecovery {
  if (text === 'reconstruct') return 'reconstruct';
  if (text === 'replay-opens') return 'replay';
  throw usageError('--recovery takes reconstruct or replay-opens');
}

/** The server of `-o ha` listens in the store. */
function checkSocketPath(store: string): void {
  const excess = Buffer.byteLength(path.join(store, HA_SOCKET)) - SOCKET_PATH_BYTES_MAX;
  if (excess <= 0) return;
  throw usageError(
    `-o ha: the path of the store is ${excess} bytes too long for a socket in it: bind-mount it (mount --bind) at a shorter one, or use feedfs mds --listen and feedfs mount --mds`,
  );
}

function checkPlaces(store: string, mountpoint: string): void {
  if (isWithin(store, mountpoint) || isWithin(mountpoint, store)) {
    throw usageError(
      `the store ${store} and the mountpoint ${mountpoint} must not lie in each other`,
    );
  }
}
