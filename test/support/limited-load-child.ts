/**
 * Load for a filesystem whose feeds have limits, and that is about to be killed. Where a
 * change is refused for lack of room it is tried again, so that what was refused once
 * happens once there is room. Ends when a call fails because the mount is dead.
 *
 *     node limited-load-child.js FOLDER ROUND
 *
 * Prints `started` once it is there, and `refused` for the first of each series of refusals.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';

const KEPT = 20;
const DEAD = new Set(['ENOTCONN', 'ECONNABORTED']);

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? `${error.code}` : '';
}

/** Tries until there is room. */
function persistently<T>(change: () => T): T {
  for (let refusals = 0; ; refusals++) {
    try {
      return change();
    } catch (error) {
      if (codeOf(error) !== 'ENOSPC') throw error;
      if (refusals === 0) fs.writeSync(1, 'refused\n');
    }
  }
}

function load(round: string): void {
  for (let i = 0; ; i++) {
    const dir = `d-${round}-${i}`;
    persistently(() => fs.mkdirSync(dir));
    const fd = persistently(() => fs.openSync(join(dir, 'new'), 'w'));
    persistently(() => fs.writeSync(fd, `round ${round}, file ${i}`, 0));
    fs.closeSync(fd);
    persistently(() => fs.renameSync(join(dir, 'new'), join(dir, 'file')));
    persistently(() => fs.linkSync(join(dir, 'file'), join(dir, 'link')));
    if (i < KEPT) continue;
    const old = `d-${round}-${i - KEPT}`;
    for (const name of ['file', 'link']) persistently(() => fs.unlinkSync(join(old, name)));
    persistently(() => fs.rmdirSync(old));
  }
}

function main([folder = '', round = '0']: readonly string[]): void {
  try {
    // Not by path: when the dead mount is taken away, the path is another folder's.
    process.chdir(folder);
    fs.writeSync(1, 'started\n');
    load(round);
  } catch (error) {
    if (!DEAD.has(codeOf(error))) throw error;
  }
}

main(process.argv.slice(2));
