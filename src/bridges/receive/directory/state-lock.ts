/** One receiver at a time: flock(2) of a file in the state directory. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { bind } from '../../libc/binding.js';
import { StreamRefused } from '../refusal.js';

const LOCK_EX = 2;
const LOCK_NB = 4;

const flock = bind<(fd: number, operation: number) => number>('int flock(int fd, int operation)');

/** The descriptor that holds the lock until it is closed. StreamRefused: another process has it. */
export function lockDirectory(directory: string): number {
  const fd = openSync(join(directory, 'lock'), 'a', 0o600);
  if (flock(fd, LOCK_EX | LOCK_NB) !== 0) {
    closeSync(fd);
    throw new StreamRefused(`${directory} is in use by another receiver`, {
      wayOut: 'wait until it has ended',
    });
  }
  ftruncateSync(fd, 0);
  // For whoever asks who has it.
  writeSync(fd, `${process.pid}\n`);
  return fd;
}
