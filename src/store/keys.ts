/**
 * The whole key space of a store. Keys are big-endian, so that LMDB's byte order
 * is numeric order. See FORMAT.md for the values.
 *
 * | table   | key                                   | value                      |
 * |---------|---------------------------------------|----------------------------|
 * | meta    | text                                  | counters, identity         |
 * | inode   | fid u64                               | attributes                 |
 * | dirent  | directory fid u64, slot u64           | fid, type, name            |
 * | link    | fid u64, directory fid u64, slot u64  | empty: a further name      |
 * | xattr   | fid u64, name                         | value                      |
 * | inline  | fid u64                               | contents of a small file   |
 * | orphan  | fid u64                               | empty, or end of data u64  |
 * | object  | fid u64, generation u32, kind u8      | pending work on an object file |
 * | log     | epoch u32, offset u64                 | block of records           |
 * | feed    | feed id u32                           | feed, as JSON              |
 * | cancel  | feed id u32, epoch u32, offset u64    | cancelled range            |
 * | pass    | feed id u32, epoch u32, offset u64    | what a feed takes of a block |
 * | client  | client id, 16 bytes                   | client of a server, as JSON |
 * | client  | client id, slot u16                   | what was answered in a slot |
 */
import { Errno, FsError } from '../base/errno.js';
import { nameToBytes } from '../base/name.js';

export const TABLES = [
  'meta',
  'inode',
  'dirent',
  'link',
  'xattr',
  'inline',
  'orphan',
  'object',
  'log',
  'feed',
  'cancel',
  'pass',
  'client',
] as const;
export type TableName = (typeof TABLES)[number];

/** Tables that a store of format 1 may lack. */
export const TABLES_SINCE_FORMAT_2: readonly TableName[] = ['link', 'pass'];

/** Tables that a store of the current format lacks until the first start that knows them. */
export const TABLES_ADDED_LATER: readonly TableName[] = ['client'];

const TWO_32 = 2 ** 32;

/** FsError(EIO) for a number that only a damaged value can hold. */
function putU64(key: Buffer, at: number, value: number): void {
  if (!(value <= Number.MAX_SAFE_INTEGER)) {
    throw new FsError(Errno.EIO, 'damaged reference; run feedfs fsck');
  }
  key.writeUInt32BE(Math.floor(value / TWO_32), at);
  key.writeUInt32BE(value % TWO_32, at + 4);
}

/** The key as a Buffer of at least so many bytes. FsError(EIO): keys have no seal. */
function viewOf(key: Uint8Array, bytes: number): Buffer {
  if (key.byteLength < bytes) throw new FsError(Errno.EIO, 'damaged key; run feedfs fsck');
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength);
}

function getU64(key: Uint8Array, at: number): number {
  const view = viewOf(key, at + 8);
  return view.readUInt32BE(at) * TWO_32 + view.readUInt32BE(at + 4);
}

// LMDB copies a key before the call returns, so one buffer per shape is enough.
const fidBuffer = Buffer.alloc(8);
const direntBuffer = Buffer.alloc(16);
/** Of a key of table `link`. */
export const LINK_KEY_BYTES = 24;

const linkBuffer = Buffer.alloc(LINK_KEY_BYTES);
const objectBuffer = Buffer.alloc(13);
const logBuffer = Buffer.alloc(12);
const feedBuffer = Buffer.alloc(4);
const feedOffsetBuffer = Buffer.alloc(16);
/** Of a key of table `client`: that of a client, and that of one of its slots. */
export const CLIENT_KEY_BYTES = 16;
export const SLOT_KEY_BYTES = CLIENT_KEY_BYTES + 2;

const clientBuffer = Buffer.alloc(CLIENT_KEY_BYTES);
const slotBuffer = Buffer.alloc(SLOT_KEY_BYTES);

/** Valid until the next call. */
export function fidKey(fid: number): Buffer {
  putU64(fidBuffer, 0, fid);
  return fidBuffer;
}

export function fidOfKey(key: Uint8Array): number {
  return getU64(key, 0);
}

/** Valid until the next call. */
export function direntKey(directory: number, slot: number): Buffer {
  putU64(direntBuffer, 0, directory);
  putU64(direntBuffer, 8, slot);
  return direntBuffer;
}

export function slotOfDirentKey(key: Uint8Array): number {
  return getU64(key, 8);
}

/** A name of the object `fid`, by its place. Valid until the next call. */
export function linkKey(fid: number, directory: number, slot: number): Buffer {
  putU64(linkBuffer, 0, fid);
  putU64(linkBuffer, 8, directory);
  putU64(linkBuffer, 16, slot);
  return linkBuffer;
}

/** Of a key made by {@link linkKey}. */
export function placeOfLinkKey(key: Uint8Array): { directory: number; slot: number } {
  return { directory: getU64(key, 8), slot: getU64(key, 16) };
}

export function xattrKey(fid: number, name: string): Buffer {
  const key = Buffer.allocUnsafe(8 + name.length);
  putU64(key, 0, fid);
  key.set(nameToBytes(name), 8);
  return key;
}

export function nameOfXattrKey(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1', 8);
}

/** Valid until the next call. */
export function objectKey(fid: number, generation: number, kind: number): Buffer {
  putU64(objectBuffer, 0, fid);
  objectBuffer.writeUInt32BE(generation, 8);
  objectBuffer[12] = kind;
  return objectBuffer;
}

export function partsOfObjectKey(key: Uint8Array): {
  fid: number;
  generation: number;
  kind: number;
} {
  const view = viewOf(key, 13);
  return { fid: getU64(key, 0), generation: view.readUInt32BE(8), kind: view.readUInt8(12) };
}

/** Valid until the next call. */
export function logKey(epoch: number, offset: number): Buffer {
  logBuffer.writeUInt32BE(epoch, 0);
  putU64(logBuffer, 4, offset);
  return logBuffer;
}

export function partsOfLogKey(key: Uint8Array): { epoch: number; offset: number } {
  const view = viewOf(key, 12);
  return { epoch: view.readUInt32BE(0), offset: getU64(key, 4) };
}

/** Valid until the next call. */
export function feedKey(id: number): Buffer {
  feedBuffer.writeUInt32BE(id, 0);
  return feedBuffer;
}

/** Valid until the next call. */
export function cancelKey(feed: number, epoch: number, offset: number): Buffer {
  return feedOffsetKey(feed, epoch, offset);
}

/** Valid until the next call. */
export function passKey(feed: number, epoch: number, offset: number): Buffer {
  return feedOffsetKey(feed, epoch, offset);
}

function feedOffsetKey(feed: number, epoch: number, offset: number): Buffer {
  feedOffsetBuffer.writeUInt32BE(feed, 0);
  feedOffsetBuffer.writeUInt32BE(epoch, 4);
  putU64(feedOffsetBuffer, 8, offset);
  return feedOffsetBuffer;
}

export function offsetOfCancelKey(key: Uint8Array): number {
  return getU64(key, 8);
}

export function partsOfPassKey(key: Uint8Array): { feed: number; epoch: number; offset: number } {
  const view = viewOf(key, 16);
  return { feed: view.readUInt32BE(0), epoch: view.readUInt32BE(4), offset: getU64(key, 8) };
}

/** `client`: 32 hexadecimal digits. Valid until the next call. */
export function clientKey(client: string): Buffer {
  clientBuffer.write(client, 0, CLIENT_KEY_BYTES, 'hex');
  return clientBuffer;
}

/** Valid until the next call. */
export function slotKey(client: string, slot: number): Buffer {
  slotBuffer.write(client, 0, CLIENT_KEY_BYTES, 'hex');
  slotBuffer.writeUInt16BE(slot, CLIENT_KEY_BYTES);
  return slotBuffer;
}

/** Of a key of table `client`; `slot` undefined in that of a client. */
export function partsOfClientKey(key: Uint8Array): { client: string; slot: number | undefined } {
  const view = viewOf(key, CLIENT_KEY_BYTES);
  const slot =
    view.length < SLOT_KEY_BYTES ? undefined : viewOf(key, SLOT_KEY_BYTES).readUInt16BE(16);
  return { client: view.toString('hex', 0, CLIENT_KEY_BYTES), slot };
}
