/**
 * Checks a store that no daemon has open, and changes nothing in it. Every table is
 * read once, from beginning to end; what must be kept of each is small
 * (fsck/inode-index.ts), so a million files take some tens of megabytes.
 */
import { StoreError } from '../store/errors.js';
import { Inspection } from '../store/inspection.js';
import { checkDirents } from './fsck/check-dirents.js';
import { checkFeeds } from './fsck/check-feeds.js';
import { checkInodes } from './fsck/check-inodes.js';
import { checkLog } from './fsck/check-log.js';
import { checkMeta } from './fsck/check-meta.js';
import { checkObjects } from './fsck/check-objects.js';
import { checkTree } from './fsck/check-tree.js';
import { checkValues } from './fsck/check-values.js';
import { Findings, type FsckReport } from './fsck/findings.js';

export type { FsckFinding, FsckReport } from './fsck/findings.js';

/**
 * What is wrong with the store at `path`. Throws StoreError if it cannot be looked
 * at: `locked` (by a daemon, with its pid), `not-a-store`, `newer-format`,
 * `not-permitted`.
 */
export function fsckStore(path: string): FsckReport {
  const findings = new Findings();
  let store: Inspection;
  try {
    store = new Inspection(path, (kind, where, message) => findings.add(kind, where, message));
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'corrupt') throw error;
    findings.add('damaged-file', path, error.message);
    return findings.report();
  }
  try {
    const meta = checkMeta(store, findings);
    const index = checkInodes(store, meta, findings);
    checkDirents(store, index, findings);
    checkValues(store, index, findings);
    checkObjects(store, index, findings);
    checkTree(index, findings);
    checkLog(store, meta, checkFeeds(store, meta, findings), findings);
    return findings.report();
  } finally {
    store.close();
  }
}
