/**
 * What happens to a request that was answered and comes again, because the answer was lost.
 * Mutations have slots (slots.ts); of the others those that change nothing, or nothing more
 * the second time, are just done again.
 */
import type { Method } from '../../rpc/messages.js';

/** `again`: done anew. `kept`: answered from what is kept (kept-answers.ts). `slot`: see slots.ts. */
export type Resend = 'again' | 'kept' | 'slot';

export const RESEND: { readonly [M in Method]: Resend } = {
  reint: 'slot',
  lookup: 'again',
  getattr: 'again',
  readlink: 'again',
  contents: 'again',
  lock: 'again',
  readdir: 'again',
  parent: 'again',
  getxattr: 'again',
  listxattr: 'again',
  statfs: 'again',
  places: 'again',
  // Each counts.
  open: 'kept',
  close: 'kept',
  accessed: 'again',
  access: 'kept',
  sync: 'again',
  // One that was taken back meanwhile must not come again.
  intent: 'kept',
  intentOver: 'kept',
  admitData: 'again',
  stats: 'again',
  recovery: 'again',
  feedCreate: 'kept',
  feedRemove: 'kept',
  feedLookup: 'again',
  feedList: 'again',
  feedOpen: 'kept',
  feedClose: 'kept',
  feedStatus: 'again',
  feedPlaces: 'again',
  feedText: 'again',
  // Another may have set something else meanwhile.
  feedSetText: 'kept',
  feedNext: 'again',
  feedAt: 'again',
  feedSeek: 'again',
  feedReady: 'again',
  feedPunch: 'kept',
  feedWatch: 'again',
  changelogNext: 'again',
  changelogReady: 'again',
  changelogClear: 'kept',
  changelogUser: 'again',
  // What they gave is not given again.
  watchOpen: 'kept',
  watchFilter: 'kept',
  watchNext: 'kept',
  watchReady: 'again',
  watchClose: 'kept',
  baselineOpen: 'kept',
  baselineNext: 'kept',
  baselineKeep: 'again',
  baselineClose: 'kept',
  replicaState: 'again',
  replicaBegin: 'kept',
  replicaPlace: 'kept',
  replicaPromote: 'kept',
  fileLockTest: 'again',
  fileLock: 'kept',
  fileLockRelease: 'kept',
  dataRead: 'again',
  dataWrite: 'kept',
  dataSpace: 'kept',
  dataSeek: 'again',
};

/** With these a client begins after a recovery, before it asks again for what was not answered. */
export const RESTORING: ReadonlySet<Method> = new Set([
  'close',
  'feedOpen',
  'feedWatch',
  'watchOpen',
  'watchFilter',
]);
