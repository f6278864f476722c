/**
 * One open of a feed's `baseline`: the snapshot that was taken when it was opened, read
 * once from its beginning to its end. The server may answer a read later, also when its
 * caller was interrupted; so what it answers stands in a buffer of the open's own.
 */
import { Errno } from '../../base/errno.js';
import type { InterruptibleDataReply, Reply } from '../../fuse/api.js';
import type { Connection } from '../../rpc/messages.js';
import { BASELINE_BUFFER_BYTES } from '../limits.js';
import type { ControlOpen } from './open.js';

interface Read {
  readonly size: number;
  readonly reply: InterruptibleDataReply;
}

export class BaselineReader implements ControlOpen {
  readonly #id: number;
  readonly #mds: Connection;
  readonly #buffer = new Uint8Array(BASELINE_BUFFER_BYTES);
  /** What of the buffer is still to be read. */
  #start = 0;
  #end = 0;
  /** The server fills the buffer. */
  #asked = false;
  #waiting: Read | undefined;
  /** Where a driver that knows no streams goes on after the last read. */
  #position = 0;

  constructor(id: number, mds: Connection) {
    this.#id = id;
    this.#mds = mds;
  }

  /** As a stream it is read at 0. Whole entries, to whoever always has room for the buffer. */
  read(offset: number, size: number, _flags: number, reply: InterruptibleDataReply): void {
    if (offset !== 0 && offset !== this.#position) return reply.error(Errno.ESPIPE);
    if (this.#waiting !== undefined) return reply.error(Errno.EBUSY);
    const read = { size, reply };
    if (this.#start < this.#end || size === 0) return this.#give(read);
    this.#waiting = read;
    if (!this.#asked) this.#ask();
    if (this.#waiting !== read) return;
    reply.onInterrupt(() => {
      this.#waiting = undefined;
      reply.error(Errno.EINTR);
    });
  }

  /** fsync(2): whoever is busy with what it has read so far tells that it is still there. */
  fsync(reply: Reply & { ok(): void }): void {
    this.#mds.call('baselineKeep', { id: this.#id }, (errno) => {
      if (errno === 0) reply.ok();
      else reply.error(errno);
    });
  }

  close(): void {
    this.#mds.call('baselineClose', { id: this.#id }, () => {});
  }

  #ask(): void {
    this.#asked = true;
    this.#mds.call('baselineNext', { id: this.#id, into: this.#buffer }, (errno, chunk) => {
      this.#asked = false;
      this.#start = 0;
      this.#end = chunk?.length ?? 0;
      const read = this.#waiting;
      this.#waiting = undefined;
      // Of somebody who was interrupted: the next read gets it, or meets the same error.
      if (read === undefined) return;
      if (chunk === undefined) read.reply.error(errno === 0 ? Errno.EIO : errno);
      else this.#give(read);
    });
  }

  #give({ size, reply }: Read): void {
    const bytes = this.#buffer.subarray(this.#start, Math.min(this.#end, this.#start + size));
    this.#start += bytes.byteLength;
    this.#position += bytes.byteLength;
    reply.data(bytes);
  }
}
