/**
 * What the driver fuse-native cannot express, and so is not in the corpus that both
 * drivers run. native-notes/fuse-native.md has the reasons; test/fuse-native shows each
 * on a mount, so that none of them stays here when it is not true any more.
 */
import { constants } from 'node:fs';
import { UTIME_NOW, UTIME_OMIT } from '../posix/libc.js';
import type { Operation } from './operation.js';

export interface Difference {
  readonly name: string;
  /** What a program sees with fuse-native. */
  readonly instead: string;
  readonly concerns: (operation: Operation) => boolean;
}

const ACCMODE = constants.O_RDONLY | constants.O_WRONLY | constants.O_RDWR;

export const DIFFERENCES: readonly Difference[] = [
  {
    name: 'several users',
    instead: 'EACCES for all but the one who mounted',
    concerns: ({ user }) => user,
  },
  {
    name: 'names that are not UTF-8',
    instead: 'EILSEQ',
    concerns: (operation) => textsOf(operation).some((text) => /[\x80-\xff]/.test(text)),
  },
  {
    name: 'rename flags',
    instead: 'EINVAL',
    concerns: (operation) => operation.call === 'rename' && operation.flags !== 0,
  },
  {
    name: 'O_TMPFILE',
    instead: 'EOPNOTSUPP',
    concerns: ({ call }) => call === 'tmpfile',
  },
  {
    name: 'fallocate',
    instead: 'EOPNOTSUPP',
    concerns: ({ call }) => call === 'fallocate',
  },
  {
    name: 'one time of two, times between milliseconds or before 1970',
    instead: 'nothing is changed; cut to milliseconds; EOVERFLOW',
    concerns: (operation) =>
      operation.call === 'utimens' &&
      [operation.atime, operation.mtime].some(
        ({ sec, nsec }) =>
          sec < 0 || nsec === UTIME_NOW || nsec === UTIME_OMIT || nsec % 1_000_000 !== 0,
      ),
  },
  {
    name: 'O_APPEND with a descriptor that is kept',
    instead: 'the end is where the last request through this name found it',
    concerns: (operation) =>
      operation.call === 'open' &&
      operation.slot !== undefined &&
      (operation.flags & constants.O_APPEND) !== 0,
  },
  {
    name: 'descriptors of directories that are removed',
    instead: 'ENOENT',
    concerns: (operation) =>
      operation.call === 'open' &&
      operation.slot !== undefined &&
      (operation.flags & ACCMODE) === constants.O_RDONLY,
  },
];

function textsOf(operation: Operation): string[] {
  return Object.values(operation).filter((value): value is string => typeof value === 'string');
}
