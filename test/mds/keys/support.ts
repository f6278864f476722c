/** Keys in a folder of their own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StoredKeys } from '../../../src/mds/keys/stored-keys.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TEMP_PREFIX } from '../../support/mount.js';

/** Where a FakeClock that is at 0 begins. */
export const START_SEC = 1_700_000_000;

/** `path` of a file of keys that is not there yet. */
export function withFolder(work: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), TEMP_PREFIX));
  try {
    work(join(folder, 'keys'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Secrets that differ, and are the same in each run. */
export function keysAt(
  path: string,
  clock = new FakeClock(),
): { keys: StoredKeys; clock: FakeClock } {
  let draws = 0;
  const random = (bytes: number): Uint8Array => Buffer.alloc(bytes, ++draws);
  return { keys: new StoredKeys({ path, clock, random }), clock };
}
