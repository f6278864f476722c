/**
 * What `fsck --repair` does about each kind of finding. The rule: nothing is
 * invented, nothing is hidden, and what is taken out is kept (repair-folder.ts).
 *
 * The texts stand in store/FORMAT.md too; a test compares them.
 */
import type { FindingKind } from './findings.js';

export type MendRule =
  /** `otherwise` says what to do about those findings of the kind that stay. */
  { readonly how: string; readonly otherwise?: string } | { readonly cannot: string };

const RESTORE = 'restore the store from a backup';
/** Of what a repair mends if it gets that far. */
const BEHIND = 'not mended because of the other findings; see to those first';
const ACKNOWLEDGE = 'stays EIO to its readers, who acknowledge the range to be done with it';

export const MENDABLE: Readonly<Record<FindingKind, MendRule>> = {
  'damaged-file': {
    how: '`flushed` is written anew; with one meta page left, what can be read is copied into a new environment',
    otherwise: RESTORE,
  },
  'missing-file': {
    how: 'the folder `objects` or the marker `flushed` is made',
    otherwise: RESTORE,
  },
  'missing-table': { how: 'made empty; what was in it is lost' },
  'lost-transaction': { how: 'the older state stands; consumers must compare all' },
  'damaged-page': {
    how: 'what can be read is copied into a new environment, and the old one is kept',
    otherwise: RESTORE,
  },
  'damaged-key': { how: 'the row is taken out' },
  'damaged-value': {
    how: "counters are derived, a seal over whole parts is renewed, rows of inodes, entries, orphans, feeds, ranges, object work, clients and a copy's state are taken out",
    otherwise: 'contents and xattrs stay EIO until they are written anew or removed',
  },
  'damaged-record': { cannot: ACKNOWLEDGE },
  'damaged-block': { how: 'its head is made from its records', otherwise: ACKNOWLEDGE },
  'log-chain': {
    how: 'the end of the log is put behind its last block',
    otherwise: 'stays: the feeds are read as far as they can be',
  },
  'missing-block': { cannot: ACKNOWLEDGE },
  'bad-range': { how: 'taken out: its records are owed again' },
  'bad-pass': {
    cannot: 'stays: the feed may show too little or too much; resynchronise its consumer',
  },
  'bad-feed': { how: 'the later one of a name is renamed, its start is put at the end of the log' },
  'bad-inode': {
    how: 'a symbolic link gets the size of its target',
    otherwise: 'stays: remove the object',
  },
  'bad-fid': {
    how: '`fid.reserved` is put above it',
    otherwise: 'stays: nothing can lead to it',
  },
  'inode-count': { how: 'counted' },
  'missing-root': { how: 'made, for the owner of the store' },
  'bad-entry': { how: 'put where lookups find it; a second one of a name is taken out' },
  'dangling-entry': { how: 'taken out' },
  'stray-entry': { how: 'taken out' },
  'wrong-parent': {
    how: '`..` follows the only entry; of two entries, the one that `..` denies is taken out',
  },
  'wrong-name': { how: 'the inode is told where a name of it is, or that it has none' },
  'missing-link': { how: 'added' },
  'stray-link': { how: 'taken out' },
  'entry-count': { how: 'counted' },
  'link-count': { how: 'counted' },
  'unreachable-inode': { how: 'gets a name in `lost+found`: its FID' },
  'lost-inode': { how: 'gets a name in `lost+found`: its FID' },
  'bad-orphan': {
    how: 'no longer an orphan; a directory with entries gets a name in `lost+found`',
  },
  'bad-value': {
    how: 'an inode is told of its xattrs, contents are cut to its size, impossible object work is taken out',
    otherwise: 'stays: set the attribute anew',
  },
  'stray-value': { how: 'taken out' },
  'missing-contents': { cannot: 'stays EIO: remove the file, or restore it from a backup' },
  'garbage-object': { how: 'put aside' },
};

/** What is left to do about a finding that could not be mended. */
export function adviceOn(kind: FindingKind): string {
  const rule = MENDABLE[kind];
  return 'cannot' in rule ? rule.cannot : (rule.otherwise ?? BEHIND);
}
