/**
 * One open of a feed's `stream` or `stream.ndjson`: where its consumer stands, and
 * which of its calls wait. The design's "A feed file exactly", rules 1 to 4.
 */
import { Errno } from '../../base/errno.js';
import type {
  InterruptibleDataReply,
  LseekReply,
  Notifier,
  PollReply,
  Reply,
} from '../../fuse/api.js';
import type { Connection, FeedChunk, FeedFile } from '../../rpc/messages.js';
import { landing } from './landing.js';
import type { ControlOpen } from './open.js';
import { POLLHUP, POLLIN, POLLRDNORM } from './poll-events.js';
import { WaitingCalls, type WaitingRead } from './waiting-calls.js';

interface PlacedRead extends WaitingRead {
  readonly offset: number;
}

export class FeedReader implements ControlOpen {
  readonly #file: FeedFile;
  readonly #mds: Connection;
  /** Where the next FIFO read starts, in the view's coordinate. */
  #cursor = 0;
  /** The kernel's file position after the last read: a read there continues it. */
  #position = 0;
  readonly #waits: WaitingCalls<PlacedRead>;

  constructor(file: FeedFile, mds: Connection, notifier: Notifier) {
    this.#file = file;
    this.#mds = mds;
    this.#waits = new WaitingCalls({ notifier, attempt: (read, done) => this.#try(read, done) });
  }

  get waiting(): boolean {
    return this.#waits.any;
  }

  read(offset: number, size: number, flags: number, reply: InterruptibleDataReply): void {
    this.#waits.read({ offset, size, flags, reply });
  }

  poll(kh: number, scheduleNotify: boolean, reply: PollReply): void {
    // Registered before readiness is tested, so that no wake-up falls in between.
    if (scheduleNotify) this.#waits.pollHandle = kh;
    this.#mds.call('feedReady', { ...this.#file, cursor: this.#cursor }, (errno, ready) => {
      if (errno !== 0) reply.events(POLLIN | POLLRDNORM | POLLHUP);
      else reply.events(ready === true ? POLLIN | POLLRDNORM : 0);
    });
  }

  lseek(offset: number, whence: 'data' | 'hole', reply: LseekReply): void {
    this.#mds.call('feedSeek', { ...this.#file, offset, whence }, (errno, found) => {
      if (found === undefined) reply.error(errno === 0 ? Errno.EIO : errno);
      else reply.offset(found);
    });
  }

  punch(offset: number, length: number, reply: Reply & { ok(): void }): void {
    this.#mds.call('feedPunch', { ...this.#file, offset, length }, (errno) =>
      errno === 0 ? reply.ok() : reply.error(errno),
    );
  }

  /** Records became visible, or the feed ended: whoever waits tries again. */
  wake(): void {
    this.#waits.retry();
    if (this.#waits.pollHandle === undefined) return;
    this.#mds.call('feedReady', { ...this.#file, cursor: this.#cursor }, (errno, ready) => {
      if (errno !== 0 || ready === true) this.#waits.wakePoller();
    });
  }

  close(): void {
    this.#waits.close();
    this.#mds.call('feedClose', { id: this.#file.id }, () => {});
  }

  /** Answers if there is something to answer with. */
  #try({ offset, size, reply }: PlacedRead, done: (answered: boolean) => void): void {
    const { into, give } = landing(this.#mds, reply, size);
    const continues = offset === this.#position;
    const settle = (errno: Errno | 0, chunk: FeedChunk | undefined): void => {
      if (reply.answered) return done(true);
      if (errno === Errno.EAGAIN) {
        // A positioned read at the end moves the cursor there, whether it waits or not.
        if (!continues) {
          this.#cursor = offset;
          this.#position = offset;
        }
        return done(false);
      }
      if (chunk === undefined) reply.error(errno === 0 ? Errno.EIO : errno);
      else {
        this.#cursor = chunk.cursor;
        if (chunk.damaged) {
          this.#position = continues ? offset : chunk.cursor;
          reply.error(Errno.EIO);
        } else {
          this.#position = offset + chunk.length;
          give(chunk.length);
        }
      }
      done(true);
    };
    if (continues)
      this.#mds.call('feedNext', { ...this.#file, cursor: this.#cursor, into }, settle);
    else this.#mds.call('feedAt', { ...this.#file, offset, into }, settle);
  }
}
