/** `.lustre/replica` of a mount: what the filesystem is a copy of, and the way in for its receiver. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Errno } from '../../../base/errno.js';
import { REPLICA_MESSAGE_BYTES_MAX } from '../../../rpc/limits.js';
import type { ReplicaState } from '../../../rpc/replica.js';
import {
  type EncodedReplicaItem,
  encodeReplicaItem,
  REPLICA_MESSAGE_OVERHEAD,
  type ReplicaItem,
  replicaMessageOf,
} from '../../../rpc/replica-message.js';
import { HandsError } from '../directory/hands-error.js';
import { StreamRefused } from '../refusal.js';
import { STATE_TEXT_BYTES_MAX } from './limits.js';
import { failedItem, itemFailure, messageFailure } from './replica-failure.js';
import { parseReplicaState } from './replica-state.js';

const REPLICA_FILE = '.lustre/replica';

export function replicaFile(mount: string): string {
  return path.join(mount, REPLICA_FILE);
}

/** Undefined if that is not the root of a feedfs, or of one that knows of no copies. */
export function readReplicaState(mount: string): ReplicaState | undefined {
  let fd: number;
  try {
    fd = fs.openSync(replicaFile(mount), fs.constants.O_RDONLY);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
  try {
    return parseReplicaState(readToEnd(fd));
  } finally {
    fs.closeSync(fd);
  }
}

/** As of the open: the size that fstat(2) tells is that of the text by now. */
function readToEnd(fd: number): string {
  const into = Buffer.alloc(STATE_TEXT_BYTES_MAX);
  for (let length = 0; ; ) {
    const count = fs.readSync(fd, into, length, into.length - length, null);
    length += count;
    if (count === 0 || length === into.length) return into.toString('utf8', 0, length);
  }
}

/** Opened by one receiver at a time. */
export class ReplicaFile {
  readonly #mount: string;
  readonly #fd: number;
  #items: ReplicaItem[] = [];
  #encoded: EncodedReplicaItem[] = [];
  #bytes = REPLICA_MESSAGE_OVERHEAD;

  /** StreamRefused: another receiver has it; otherwise the error of open(2). */
  constructor(mount: string) {
    this.#mount = mount;
    try {
      this.#fd = fs.openSync(replicaFile(mount), fs.constants.O_RDWR);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EBUSY')) throw error;
      throw new StreamRefused(`${mount} is in use by another receiver`, {
        wayOut: 'wait until it has ended',
        cause: error,
      });
    }
  }

  /** As of now. */
  state(): ReplicaState {
    const state = readReplicaState(this.#mount);
    if (state !== undefined) return state;
    throw new HandsError('target', Errno.ENOENT, '', `${this.#mount} is no feedfs any more`);
  }

  /** Takes an item; a message that is full is sent. Throws as {@link send}. */
  add(item: ReplicaItem): void {
    const encoded = encodeReplicaItem(item);
    if (this.#bytes + encoded.bytes > REPLICA_MESSAGE_BYTES_MAX) this.send();
    this.#items.push(item);
    this.#encoded.push(encoded);
    this.#bytes += encoded.bytes;
  }

  /**
   * All that was added is done when it returns. Throws StreamRefused if an item does not fit
   * the copy, HandsError for what stops the receiver there; items before it are done.
   */
  send(): void {
    const items = this.#items;
    if (items.length === 0) return;
    const encoded = this.#encoded;
    this.#items = [];
    this.#encoded = [];
    this.#bytes = REPLICA_MESSAGE_OVERHEAD;
    const message = replicaMessageOf(encoded);
    let written: number;
    try {
      written = fs.writeSync(this.#fd, message);
    } catch (error) {
      throw this.#explained(error, items);
    }
    if (written !== message.length) {
      throw messageFailure(this.#mount, `it took ${written} of ${message.length} bytes`);
    }
  }

  /** All that was sent is on disk when it resolves. */
  async sync(): Promise<void> {
    this.send();
    await new Promise<void>((resolve, reject) => {
      fs.fsync(this.#fd, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  #explained(error: unknown, items: readonly ReplicaItem[]): unknown {
    if (!(error instanceof Error) || !('errno' in error)) return error;
    const failure = failedItem(this.#readFailure());
    const item = failure === undefined ? undefined : items[failure.item];
    if (failure === undefined || item === undefined) {
      return messageFailure(this.#mount, failure?.reason ?? error.message, error);
    }
    return itemFailure(this.#mount, item, failure);
  }

  #readFailure(): string {
    const into = Buffer.alloc(STATE_TEXT_BYTES_MAX);
    try {
      return into.toString('utf8', 0, fs.readSync(this.#fd, into));
    } catch {
      return '';
    }
  }
}
