/** What the operations of a client share. */
import type { Fid } from '../base/fid.js';
import type { Caller, Notifier } from '../fuse/api.js';
import type { ClientStats, Connection, Credentials } from '../rpc/messages.js';
import type { AccessRecords } from './access-records.js';
import type { AccessTimes } from './access-times.js';
import type { Coherence } from './coherence.js';
import type { FileLocksHeld } from './file-locks-held.js';
import type { Files } from './files.js';
import type { NamelessObjects } from './nameless-objects.js';
import type { OpenTable } from './open-table.js';
import type { ReplicaMount } from './replica/replica-mount.js';
import type { StaleListings } from './stale-listings.js';
import type { Callers } from './who.js';

export interface ClientContext {
  readonly mds: Connection;
  readonly files: Files;
  readonly coherence: Coherence;
  readonly fileLocks: FileLocksHeld;
  readonly accessTimes: AccessTimes;
  readonly accesses: AccessRecords;
  readonly opens: OpenTable;
  readonly nameless: NamelessObjects;
  readonly listings: StaleListings;
  readonly replica: ReplicaMount;
  readonly callers: Callers;
  /** Set once the session exists. */
  readonly notifier: Notifier;
  readonly stats: () => ClientStats;
  /** Owner of the control tree: who mounted. */
  readonly owner: { readonly uid: number; readonly gid: number };
  /** Ordinary users may open `.lustre/watch`. */
  readonly userWatch: boolean;
}

/** The kernel's nodeid is the compact FID. */
export function fidOf(nodeId: number): Fid {
  return nodeId as Fid;
}

export function who(context: ClientContext, caller: Caller): Credentials {
  return context.callers.credentials(caller);
}
