/** Where a metadata server is, as the command line names it: an address, or the store that it serves. */
import { type Address, parseAddress } from '../rpc/socket/address.js';
import { CliError, usageError } from './cli-error.js';
import { ExitCode } from './exit-codes.js';
import { absolutePath } from './mounts.js';
import { readPlace } from './serve/place.js';

/** Throws USAGE. */
export function addressOption(text: string, option: string): Address {
  try {
    return parseAddress(text);
  } catch (error) {
    throw usageError(`${option}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** With an absolute path, for a process in another directory. */
export function absoluteAddress(address: Address, cwd: string): Address {
  if (address.kind !== 'unix') return address;
  return { kind: 'unix', path: absolutePath(address.path, cwd) };
}

/** Throws USAGE, or NO_SERVER where a store is not served. */
export function serverOf(text: string, cwd: string): Address {
  if (/^(unix|tcp):/.test(text)) return absoluteAddress(addressOption(text, text), cwd);
  const store = absolutePath(text, cwd);
  const address = readPlace(store)?.addresses[0];
  if (address !== undefined) return addressOption(address, store);
  throw new CliError(ExitCode.NO_SERVER, `no feedfs mds serves ${store}`);
}
