/**
 * STORE/mds.json: where a store is served while a metadata server has it. A server that was
 * killed leaves the file behind; whether one runs, the lock of the store tells.
 */
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { giveToOwnerOf } from '../../base/owner.js';
import type { ServerBoot } from '../../rpc/session.js';

export interface ServedPlace {
  readonly pid: number;
  /** That of its welcomes: so a mount knows this directory from a copy of it. */
  readonly boot: ServerBoot;
  /** As `--listen` and `--mds` take them. Empty before it listens. */
  readonly addresses: readonly string[];
}

/** Where the server of `-o ha` listens, in the store's directory. */
export const HA_SOCKET = 'mds.sock';

export function writePlace(store: string, place: ServedPlace): void {
  const file = fileOf(store);
  rmSync(`${file}.new`, { force: true });
  const fd = openSync(`${file}.new`, 'wx', 0o600);
  try {
    giveToOwnerOf(store, fd);
    writeFileSync(fd, `${JSON.stringify(place)}\n`);
  } finally {
    closeSync(fd);
  }
  renameSync(`${file}.new`, file);
}

export function removePlace(store: string): void {
  rmSync(fileOf(store), { force: true });
}

/** Undefined if there is none, it does not listen yet, or it makes no sense. */
export function readPlace(store: string): Omit<ServedPlace, 'boot'> | undefined {
  const { pid, addresses } = readFile(store);
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
  if (!Array.isArray(addresses)) return undefined;
  if (addresses.length === 0) return undefined;
  return { pid, addresses: addresses.filter((address) => typeof address === 'string') };
}

/** Whether that run of a server serves what is in this directory. */
export function isServedBy(store: string, boot: ServerBoot): boolean {
  return readFile(store).boot === boot;
}

/** Nothing in it is checked. */
function readFile(store: string): Partial<Record<keyof ServedPlace, unknown>> {
  try {
    return Object(JSON.parse(readFileSync(fileOf(store), 'utf8')));
  } catch {
    return {};
  }
}

function fileOf(store: string): string {
  return join(store, 'mds.json');
}
