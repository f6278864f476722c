/**
 * The control tree, `.lustre` and below: which objects there are and what their FIDs
 * are. It is served to its owner, root or the user who mounted.
 *
 *     .lustre/                0755
 *     .lustre/fid/            0500  [0x…:0x…:0x…] opens by FID
 *     .lustre/feeds/          0700  a directory per feed
 *     .lustre/feeds/NAME/     0700  stream, stream.ndjson, changelog, info, filter, policy, baseline
 *     .lustre/watch           0600  a transient feed per open (0666 with -o user_watch)
 *     .lustre/stats           0400  what the server counts about itself
 *     .lustre/recovery_status  0444  how the server stands after a crash
 *     .lustre/places          0600  FIDs are written, their names read
 *     .lustre/replica         0600  what this is a copy of; its receiver's way in
 */
import { unreachable } from '../../base/assert.js';
import { Errno } from '../../base/errno.js';
import { controlFid, controlOid, type Fid } from '../../base/fid.js';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../../base/mode.js';
import type { FileName } from '../../base/name.js';
import type { FeedSetting, FeedView } from '../../rpc/messages.js';

/** Name of the control tree in the root; reachable, and not listed. */
export const CONTROL_NAME = '.lustre' as FileName;

export type ControlNode =
  | { readonly kind: 'top' }
  | { readonly kind: 'fids' }
  | { readonly kind: 'feeds' }
  /** The root's FID: a link, for the kernel allows no second name of a root. */
  | { readonly kind: 'root-link' }
  | { readonly kind: 'feed'; readonly id: number }
  | { readonly kind: 'stream'; readonly id: number; readonly view: FeedView }
  | { readonly kind: 'changelog'; readonly id: number }
  | { readonly kind: 'info'; readonly id: number }
  | { readonly kind: 'setting'; readonly id: number; readonly file: FeedSetting }
  | { readonly kind: 'baseline'; readonly id: number }
  | { readonly kind: 'watch' }
  | { readonly kind: 'places' }
  | { readonly kind: 'replica' }
  | { readonly kind: 'stats' }
  | { readonly kind: 'recovery' };

const TOP_OID = 1;
const FIDS_OID = 2;
const FEEDS_OID = 3;
const ROOT_LINK_OID = 4;
const WATCH_OID = 5;
const STATS_OID = 6;
const PLACES_OID = 7;
const REPLICA_OID = 8;
const RECOVERY_OID = 9;
const FEED_OIDS_START = 0x100;
/** Oids of one feed: its directory and its files. */
const FEED_OIDS = 16;

/** The place of each says its oid: new ones come last. */
const FILES = [
  'directory',
  'stream',
  'ndjson',
  'info',
  'filter',
  'policy',
  'changelog',
  'baseline',
] as const;

export function fidOfNode(node: ControlNode): Fid {
  switch (node.kind) {
    case 'top':
      return controlFid(TOP_OID);
    case 'fids':
      return controlFid(FIDS_OID);
    case 'feeds':
      return controlFid(FEEDS_OID);
    case 'root-link':
      return controlFid(ROOT_LINK_OID);
    case 'feed':
      return feedOid(node.id, 'directory');
    case 'stream':
      return feedOid(node.id, node.view);
    case 'info':
    case 'changelog':
    case 'baseline':
      return feedOid(node.id, node.kind);
    case 'setting':
      return feedOid(node.id, node.file);
    case 'watch':
      return controlFid(WATCH_OID);
    case 'places':
      return controlFid(PLACES_OID);
    case 'replica':
      return controlFid(REPLICA_OID);
    case 'stats':
      return controlFid(STATS_OID);
    case 'recovery':
      return controlFid(RECOVERY_OID);
    default:
      return unreachable(node);
  }
}

function feedOid(id: number, file: (typeof FILES)[number]): Fid {
  return controlFid(FEED_OIDS_START + id * FEED_OIDS + FILES.indexOf(file));
}

/** The inverse; undefined if no node has that FID. */
export function nodeOfFid(fid: Fid): ControlNode | undefined {
  const oid = controlOid(fid);
  if (oid === TOP_OID) return { kind: 'top' };
  if (oid === FIDS_OID) return { kind: 'fids' };
  if (oid === FEEDS_OID) return { kind: 'feeds' };
  if (oid === ROOT_LINK_OID) return { kind: 'root-link' };
  if (oid === WATCH_OID) return { kind: 'watch' };
  if (oid === STATS_OID) return { kind: 'stats' };
  if (oid === PLACES_OID) return { kind: 'places' };
  if (oid === REPLICA_OID) return { kind: 'replica' };
  if (oid === RECOVERY_OID) return { kind: 'recovery' };
  if (oid < FEED_OIDS_START) return undefined;
  const id = Math.floor((oid - FEED_OIDS_START) / FEED_OIDS);
  const file = FILES[(oid - FEED_OIDS_START) % FEED_OIDS];
  switch (file) {
    case 'directory':
      return { kind: 'feed', id };
    case 'stream':
      return { kind: 'stream', id, view: 'stream' };
    case 'ndjson':
      return { kind: 'stream', id, view: 'ndjson' };
    case 'info':
    case 'changelog':
    case 'baseline':
      return { kind: file, id };
    case 'filter':
    case 'policy':
      return { kind: 'setting', id, file };
    default:
      return undefined;
  }
}

/** `userWatch`: ordinary users may watch, too; the server decides what they see. */
export function modeOfNode({ kind }: ControlNode, userWatch: boolean): number {
  switch (kind) {
    case 'top':
      return S_IFDIR | 0o755;
    case 'fids':
      return S_IFDIR | 0o500;
    case 'feeds':
    case 'feed':
      return S_IFDIR | 0o700;
    case 'root-link':
      return S_IFLNK | 0o777;
    case 'stream':
    case 'changelog':
    case 'setting':
    case 'places':
    case 'replica':
      return S_IFREG | 0o600;
    case 'watch':
      return S_IFREG | (userWatch ? 0o666 : 0o600);
    case 'info':
    case 'baseline':
    case 'stats':
      return S_IFREG | 0o400;
    case 'recovery':
      return S_IFREG | 0o444;
    default:
      return unreachable(kind);
  }
}

/** Entries of a control directory that are always there. */
export function fixedEntries(node: ControlNode): readonly (readonly [string, ControlNode])[] {
  switch (node.kind) {
    case 'top':
      return [
        ['fid', { kind: 'fids' }],
        ['feeds', { kind: 'feeds' }],
        ['watch', { kind: 'watch' }],
        ['stats', { kind: 'stats' }],
        ['places', { kind: 'places' }],
        ['replica', { kind: 'replica' }],
        ['recovery_status', { kind: 'recovery' }],
      ];
    case 'feed':
      return [
        ['stream', { kind: 'stream', id: node.id, view: 'stream' }],
        ['stream.ndjson', { kind: 'stream', id: node.id, view: 'ndjson' }],
        ['changelog', { kind: 'changelog', id: node.id }],
        ['info', { kind: 'info', id: node.id }],
        ['filter', { kind: 'setting', id: node.id, file: 'filter' }],
        ['policy', { kind: 'setting', id: node.id, file: 'policy' }],
        ['baseline', { kind: 'baseline', id: node.id }],
      ];
    default:
      return [];
  }
}

/** What open(2) and stat(2) say when the server tells nothing of a feed: to the server one that is gone is no device. */
export function withoutFeed(errno: Errno | 0): Errno {
  if (errno === 0) return Errno.EIO;
  return errno === Errno.ENODEV ? Errno.ENOENT : errno;
}
