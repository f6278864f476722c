/** One change that a client brought back, and what came of it. */
import createDebug from 'debug';
import { Errno, errnoName, errnoOf } from '../../base/errno.js';
import type { ClientId } from '../../rpc/session.js';
import type { RecoveryTarget, ReplayItem } from '../export/parts.js';

const debug = createDebug('feedfs:recovery');

/** What the server throws is an answer. */
export function madeAgain(
  target: Pick<RecoveryTarget, 'replay'>,
  client: ClientId,
  item: ReplayItem,
): Errno | 0 {
  try {
    return target.replay(client, item);
  } catch (error) {
    debug('%s: %o', client, error);
    return errnoOf(error) ?? Errno.EIO;
  }
}

/** For people. */
export function notMade({ receipt }: ReplayItem, errno: Errno): string {
  return `change ${receipt.transno} could not be made again: ${errnoName(errno)}`;
}
