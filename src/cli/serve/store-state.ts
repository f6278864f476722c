/** Who has a store: cheap to ask, and asked before and after somebody fails to open it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StoreError } from '../../store/errors.js';
import { readPlace } from './place.js';

/**
 * `served`: a metadata server listens. `opening`: one is about to, or whoever had it has just
 * gone, so that it is worth asking again. `other`: a process that serves nobody else.
 */
export type StoreState = 'served' | 'opening' | 'other';

export function storeState(store: string): StoreState {
  const holder = lockHolder(store);
  const place = readPlace(store);
  if (place !== undefined && isAlive(place.pid) && (holder ?? place.pid) === place.pid) {
    return 'served';
  }
  if (holder === undefined || !isAlive(holder)) return 'opening';
  return isServer(holder) ? 'opening' : 'other';
}

/** A failed opening: where a server has the store, the message says how to get it back. */
export function explainLocked(store: string, error: unknown): unknown {
  if (!(error instanceof StoreError) || error.code !== 'locked') return error;
  const { pid } = error;
  if (pid === undefined || (readPlace(store)?.pid !== pid && !isServer(pid))) return error;
  const message = `${store} is served by feedfs mds (pid ${pid}); stop it: kill ${pid}`;
  return new StoreError('locked', message, { cause: error, pid });
}

/** Undefined if nobody has ever had it, or the holder is about to write its number. */
function lockHolder(store: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(join(store, 'lock'), 'latin1'), 10);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function isServer(pid: number): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.slice(1).includes('mds');
  } catch {
    return false;
  }
}
