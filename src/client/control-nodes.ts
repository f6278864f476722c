/**
 * The control tree, `.lustre` and below: which objects there are and what their FIDs
 * are. It is served to its owner, root or the user who mounted.
 *
 *     .lustre/                0755
 *     .lustre/fid/            0500  [0x…:0x…:0x…] opens by FID
 *     .lustre/feeds/          0700  a directory per feed
 *     .lustre/feeds/NAME/     0700  stream, stream.ndjson, info
 */
import { unreachable } from '../base/assert.js';
import { controlFid, controlOid, type Fid } from '../base/fid.js';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../base/mode.js';
import type { FileName } from '../base/name.js';
import type { FeedView } from '../rpc/messages.js';

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
  | { readonly kind: 'info'; readonly id: number };

const TOP_OID = 1;
const FIDS_OID = 2;
const FEEDS_OID = 3;
const ROOT_LINK_OID = 4;
const FEED_OIDS_START = 0x100;
/** Oids of one feed: its directory and its files. */
const FEED_OIDS = 16;

const FILES = ['directory', 'stream', 'ndjson', 'info'] as const;

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
      return feedOid(node.id, 'info');
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
  if (oid < FEED_OIDS_START) return undefined;
  const id = Math.floor((oid - FEED_OIDS_START) / FEED_OIDS);
  switch (FILES[(oid - FEED_OIDS_START) % FEED_OIDS]) {
    case 'directory':
      return { kind: 'feed', id };
    case 'stream':
      return { kind: 'stream', id, view: 'stream' };
    case 'ndjson':
      return { kind: 'stream', id, view: 'ndjson' };
    case 'info':
      return { kind: 'info', id };
    default:
      return undefined;
  }
}

export function modeOfNode({ kind }: ControlNode): number {
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
      return S_IFREG | 0o600;
    case 'info':
      return S_IFREG | 0o400;
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
      ];
    case 'feed':
      return [
        ['stream', { kind: 'stream', id: node.id, view: 'stream' }],
        ['stream.ndjson', { kind: 'stream', id: node.id, view: 'ndjson' }],
        ['info', { kind: 'info', id: node.id }],
      ];
    default:
      return [];
  }
}
