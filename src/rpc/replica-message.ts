/**
 * What a receiver writes into `.lustre/replica`: one message with each write(2), of items
 * that are done in their order. FORMAT.md has the bytes. Pure, so that both ends have it.
 *
 *     4  "FRM1"
 *     4  bytes of the head, u32 little-endian
 *     …  the head: JSON {"items":[…]}
 *     …  bytes that the items have (values, contents, extents), one behind the other
 *
 * The whole is checked before anything of it is done.
 */
import { Errno, FsError } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import type { Timespec } from '../base/time.js';
import type { Credentials, Reint, WrittenExtent } from './changes.js';
import { REPLICA_ITEMS_MAX, REPLICA_MESSAGE_BYTES_MAX } from './limits.js';
import type { ReplicaMethods, Verbatim } from './replica.js';
import { BlobReader, BlobWriter } from './replica-blobs.js';
import { bad, list, type Members, members } from './replica-fields.js';
import { decodeItem } from './replica-item-decoder.js';
import { encodeItem } from './replica-item-encoder.js';

/** A change of names or attributes. Of a create, symlink the attributes are verbatim's; the rest of them is not looked at. */
export interface ReplicaChange {
  readonly do: 'change';
  readonly who: Credentials;
  readonly change: Exclude<Reint, { op: 'write' | 'tmpfile' }>;
  readonly verbatim: Verbatim;
}

/** Contents at [offset, offset + length), put in their place and not yet recorded. */
export type ReplicaContents =
  | {
      readonly do: 'data';
      readonly fid: Fid;
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  | {
      readonly do: 'hole';
      readonly fid: Fid;
      readonly offset: number;
      readonly length: number;
    };

/** Records what was written to a file, whose contents were given before. */
export interface ReplicaWrite {
  readonly do: 'write';
  readonly who: Credentials;
  readonly fid: Fid;
  /** Of the record. */
  readonly time: Timespec;
  /** Ascending, disjoint. */
  readonly extents: readonly WrittenExtent[];
  readonly size: number;
  readonly mtime: Timespec;
  readonly ctime: Timespec;
  readonly mode?: number | undefined;
  /** As that of a change (replica.ts). */
  readonly applied?: number | undefined;
}

export type ReplicaItem =
  | ({ readonly do: 'begin' } & ReplicaMethods['replicaBegin']['request'])
  | ({ readonly do: 'place' } & ReplicaMethods['replicaPlace']['request'])
  | { readonly do: 'promote' }
  | ReplicaChange
  | ReplicaContents
  | ReplicaWrite;

const MAGIC = Buffer.from('FRM1', 'latin1');
const HEAD_AT = 8;

/** What each item counts for at least, so that as many as fill a message are not too many. */
const ITEM_BYTES_MIN = REPLICA_MESSAGE_BYTES_MAX / REPLICA_ITEMS_MAX;

/** An item as it will be in a message. Its bytes are those of the item: not to be changed before it is sent. */
export interface EncodedReplicaItem {
  readonly text: string;
  readonly parts: readonly Uint8Array[];
  /**
   * An upper bound of what the item adds to a message, for whoever fills one up to
   * REPLICA_MESSAGE_BYTES_MAX - REPLICA_MESSAGE_OVERHEAD.
   */
  readonly bytes: number;
}

export function encodeReplicaItem(item: ReplicaItem): EncodedReplicaItem {
  const blobs = new BlobWriter();
  const text = JSON.stringify(encodeItem(item, blobs));
  const bytes = Math.max(Buffer.byteLength(text) + 1 + blobs.bytes, ITEM_BYTES_MIN);
  return { text, parts: blobs.parts, bytes };
}

/** As {@link replicaMessageOf}. */
export function encodeReplicaMessage(items: readonly ReplicaItem[]): Buffer {
  return replicaMessageOf(items.map(encodeReplicaItem));
}

/** FsError(E2BIG) if it is longer than one write(2) takes, or has too many items. */
export function replicaMessageOf(items: readonly EncodedReplicaItem[]): Buffer {
  if (items.length > REPLICA_ITEMS_MAX) throw new FsError(Errno.E2BIG, `${items.length} items`);
  const head = Buffer.from(`{"items":[${items.map(({ text }) => text).join(',')}]}`);
  const fixed = Buffer.alloc(HEAD_AT);
  fixed.set(MAGIC, 0);
  fixed.writeUInt32LE(head.length, 4);
  const message = Buffer.concat([fixed, head, ...items.flatMap(({ parts }) => parts)]);
  if (message.length > REPLICA_MESSAGE_BYTES_MAX) {
    throw new FsError(Errno.E2BIG, `a message of ${message.length} bytes`);
  }
  return message;
}

/** Bytes of a message without items. */
export const REPLICA_MESSAGE_OVERHEAD = HEAD_AT + '{"items":[]}'.length;

/**
 * The items; byte values are parts of `message`. FsError(EINVAL) whose message says what is
 * wrong with it.
 */
export function decodeReplicaMessage(message: Uint8Array): ReplicaItem[] {
  if (message.byteLength > REPLICA_MESSAGE_BYTES_MAX) throw bad(`${message.byteLength} bytes`);
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  if (bytes.length < HEAD_AT || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw bad('it does not begin with "FRM1"');
  }
  const headEnd = HEAD_AT + bytes.readUInt32LE(4);
  if (headEnd > bytes.length) throw bad('the head is longer than the message');
  const head = parseHead(bytes.toString('utf8', HEAD_AT, headEnd));
  const blobs = new BlobReader(bytes.subarray(headEnd));
  const found = list(head.items, 'items');
  if (found.length > REPLICA_ITEMS_MAX) throw bad(`${found.length} items`);
  const items = found.map((item, at) => {
    try {
      return decodeItem(members(item, 'an item'), blobs);
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      throw bad(`item ${at}: ${reasonOf(error)}`);
    }
  });
  if (blobs.left > 0) throw bad(`${blobs.left} bytes belong to no item`);
  return items;
}

/** Of an error of this codec: what is wrong, without the errno's name. */
export function reasonOf({ message }: FsError): string {
  return message.replace(/^[A-Z0-9]+: /, '');
}

function parseHead(text: string): Members {
  let head: unknown;
  try {
    head = JSON.parse(text);
  } catch {
    throw bad('the head is not JSON');
  }
  return members(head, 'the head', ['items']);
}
