/**
 * Checks a store that no daemon has open, and changes nothing in it. Every table is
 * read once, from beginning to end; what must be kept of each is small
 * (fsck/inode-index.ts), so a million files take some tens of megabytes.
 */
import { StoreError } from '../store/errors.js';
import { Inspection } from '../store/inspection.js';
import { checkClients } from './fsck/check-clients.js';
import { checkDirents } from './fsck/check-dirents.js';
import { checkFeeds } from './fsck/check-feeds.js';
import { checkInodes } from './fsck/check-inodes.js';
import { checkLinks } from './fsck/check-links.js';
import { checkLog } from './fsck/check-log.js';
import { checkMeta, checkPresent } from './fsck/check-meta.js';
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
  inspectStore(path, findings, false);
  return findings.report();
}

/** {@link fsckStore} into `findings`. `held`: the caller has the store open, and commits nothing. */
export function inspectStore(path: string, findings: Findings, held: boolean): void {
  let store: Inspection;
  try {
    store = new Inspection(path, (...problem) => findings.add(...problem), { held });
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'corrupt') throw error;
    findings.add('damaged-file', path, error.message);
    return;
  }
  try {
    const meta = checkMeta(store, findings);
    const index = checkInodes(store, meta, findings);
    checkPresent(meta, 'fid.reserved', index.count > 0, findings);
    checkPresent(meta, 'stats', index.count > 0, findings);
    const names = checkDirents(store, index, findings);
    checkLinks(store, index, names, findings);
    checkValues(store, index, findings);
    checkObjects(store, index, findings);
    checkTree(index, findings);
    checkClients(store, findings);
    const feeds = checkFeeds(store, meta, findings);
    const blocks = checkLog(store, meta, feeds, findings);
    checkPresent(meta, 'transno', blocks > 0, findings);
    const logged = blocks > 0 || feeds.bounds.some(({ at }) => at.offset > 0);
    checkPresent(meta, 'log.end', logged, findings);
  } finally {
    store.close();
  }
}
