/**
 * `.lustre/replica`: what this store is a copy of, as JSON; and, opened for writing, the way
 * in for its receiver: each write is one message (rpc/replica-message.ts), answered when
 * all of it is done. After one that failed the next read of that open gives a line of JSON
 * that says which item failed, and why.
 */
import { Errno, errnoName, FsError } from '../../base/errno.js';
import type { InterruptibleDataReply, Reply, WriteReply } from '../../fuse/api.js';
import type { Connection } from '../../rpc/messages.js';
import { decodeReplicaMessage, type ReplicaItem, reasonOf } from '../../rpc/replica-message.js';
import type { ReplicaMount } from '../replica/replica-mount.js';
import { ReplicaSteps } from '../replica/replica-steps.js';
import { TextFile } from './text-file.js';

export class ReplicaWriter extends TextFile {
  readonly #mds: Connection;
  readonly #replica: ReplicaMount;
  readonly #steps: ReplicaSteps;
  /** Of the last message. */
  #failure: Uint8Array | undefined;
  #busy = false;
  #closed = false;

  /** `text`: the state as of the open. The mount counts as receiving until {@link close}. */
  constructor(mds: Connection, replica: ReplicaMount, text: string) {
    super(text);
    this.#mds = mds;
    this.#replica = replica;
    this.#steps = new ReplicaSteps(mds, replica);
    replica.receiving = true;
  }

  override read(offset: number, size: number, flags: number, reply: InterruptibleDataReply): void {
    if (this.#failure === undefined) return super.read(offset, size, flags, reply);
    // Wherever the writes have brought the position of the open.
    reply.data(this.#failure.subarray(0, size));
    this.#failure = undefined;
  }

  write(_offset: number, data: Uint8Array, reply: WriteReply): void {
    if (this.#busy) return reply.error(Errno.EBUSY);
    this.#failure = undefined;
    let items: ReplicaItem[];
    try {
      // A copy: the request's buffer serves the next one while this waits for the disk.
      items = decodeReplicaMessage(Uint8Array.from(data));
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      this.#failed({ errno: errnoName(error.errno), reason: reasonOf(error) });
      return reply.error(error.errno);
    }
    this.#busy = true;
    this.#steps.run(items, (failure) => {
      this.#busy = false;
      if (this.#closed) this.#end();
      if (failure === undefined) return reply.written(data.byteLength);
      this.#failed({ ...failure, errno: errnoName(failure.errno) });
      reply.error(failure.errno);
    });
  }

  fsync(reply: Reply & { ok(): void }): void {
    this.#mds.call('sync', undefined, (errno) => {
      if (errno === 0) reply.ok();
      else reply.error(errno);
    });
  }

  close(): void {
    this.#closed = true;
    if (!this.#busy) this.#end();
  }

  #end(): void {
    this.#replica.contents.settle(() => {
      this.#replica.receiving = false;
      this.#replica.view.flush();
    });
  }

  #failed(what: object): void {
    this.#failure = Buffer.from(`${JSON.stringify(what)}\n`);
  }
}
