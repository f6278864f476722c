/**
 * The store whose object files a mount works on, beside the server. The server may come back
 * with the store at another place, of which the old directory is then a copy: what is written
 * into that would be lost. So at every welcome the mount looks where it is.
 */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import createDebug from 'debug';
import type { Welcome } from '../../rpc/session-messages.js';
import { isServedBy } from './place.js';

const debug = createDebug('feedfs:cli');

export interface ReachedStore {
  readonly path: string;
  /** Of the folder of the objects. */
  readonly dev: number;
  readonly ino: number;
}

/** Undefined if that server's object files cannot be reached here. */
export function reachedStore({ objects, boot }: Welcome): ReachedStore | undefined {
  if (objects === undefined) return undefined;
  const path = dirname(objects);
  try {
    const { dev, ino } = statSync(objects);
    return isServedBy(path, boot) ? { path, dev, ino } : undefined;
  } catch (error) {
    debug('the objects cannot be reached: %o', error);
    return undefined;
  }
}

/** Why a mount that works on `reached` cannot go on; `now`: what the server says of itself. */
export function hasMoved(reached: ReachedStore, now: Welcome): string | undefined {
  const { path, dev, ino } = reachedStore(now) ?? {};
  if (path === reached.path && dev === reached.dev && ino === reached.ino) return undefined;
  return `the server's store is not the directory ${reached.path} any more: unmount, and mount again`;
}
