/**
 * What only a server of several clients has to do (mds/export): an embedded one has a single
 * mount, whose kernel keeps the programs' locks, which reaches the object files, and which
 * ends with it.
 */
import { Errno } from '../base/errno.js';
import type { RecoveryStatus, Service } from '../rpc/messages.js';

type UnsharedMethod =
  | 'fileLockTest'
  | 'fileLock'
  | 'fileLockRelease'
  | 'dataRead'
  | 'dataWrite'
  | 'dataSpace'
  | 'dataSeek'
  | 'recovery';

export function unsharedMethods(parts: {
  /** Transnos: of the last change, and of the last on disk. */
  readonly last: () => number;
  readonly committed: () => number;
}): Pick<Service, UnsharedMethod> {
  const refuse = (_request: unknown, answer: (errno: Errno, result: undefined) => void): void =>
    answer(Errno.EOPNOTSUPP, undefined);
  return {
    fileLockTest: refuse,
    fileLock: refuse,
    fileLockRelease: refuse,
    dataRead: refuse,
    dataWrite: refuse,
    dataSpace: refuse,
    dataSeek: refuse,
    recovery: (_request, answer) => {
      const status: RecoveryStatus = {
        state: 'inactive',
        boot: undefined,
        started: undefined,
        durationSec: 0,
        leftSec: undefined,
        windowSec: 0,
        clients: [],
        reopened: 0,
        replayed: 0,
        refused: 0,
        committed: parts.committed(),
        last: parts.last(),
      };
      answer(0, status);
    },
  };
}
