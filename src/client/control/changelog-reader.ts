/**
 * One open of a feed's `changelog`: what Lustre's device does for its readers. It is read
 * in whole records, placed by record index, acknowledged by writing, and told by ioctl
 * whether to follow and which types to give.
 */
import { Errno } from '../../base/errno.js';
import { nameFromBytes } from '../../base/name.js';
import type {
  InterruptibleDataReply,
  IoctlReply,
  IoctlRequest,
  Notifier,
  PollReply,
  WriteReply,
} from '../../fuse/api.js';
import type { ChangelogChunk, ChangelogFormat, Connection } from '../../rpc/messages.js';
import { landing } from './landing.js';
import type { ControlOpen } from './open.js';
import { POLLHUP, POLLIN, POLLRDNORM } from './poll-events.js';
import { WaitingCalls, type WaitingRead } from './waiting-calls.js';

/** _IOR('f', 233, long), whose argument is the flags themselves. */
const IOC_SET_FLAGS = 0x800866e9;
/** _IOW('f', 179, struct changelog_filter). */
const IOC_FILTER = 0x403066b3;
const FLAG_FOLLOW = 0x01n;
const FLAG_NID_BE = 0x10n;

/** struct changelog_filter: mask u64, user id u32, padding u32, user name char[30], padding. */
const FILTER_BYTES = 48;
const FILTER_USER_AT = 8;
const FILTER_NAME_AT = 16;
const FILTER_NAME_BYTES = 30;

const ALL_TYPES = 0xffff_ffff;
const TYPE_BITS = 0xffff_ffffn;

/** Longest control text. */
const CLEAR_BYTES_MAX = 64;
/** Lustre's library sends the zero byte that ends its string, and a shell a newline. */
const CLEAR_TEXT = /^clear:cl([0-9]{1,20}):([0-9]{1,20})[\n\0]*$/;

const NOTHING = new Uint8Array(0);

interface PlacedRead extends WaitingRead {
  readonly offset: number;
}

export class ChangelogReader implements ControlOpen {
  readonly #id: number;
  readonly #mds: Connection;
  /** Of the record to go on with. */
  #index = 0;
  #format: ChangelogFormat = { types: ALL_TYPES, lnetNid: false };
  #follow = false;
  /** The kernel's file position after the last read: a read there continues it. */
  #position = 0;
  readonly #waits: WaitingCalls<PlacedRead>;

  constructor(id: number, mds: Connection, notifier: Notifier) {
    this.#id = id;
    this.#mds = mds;
    this.#waits = new WaitingCalls({ notifier, attempt: (read, done) => this.#try(read, done) });
  }

  get waiting(): boolean {
    return this.#waits.any;
  }

  read(offset: number, size: number, flags: number, reply: InterruptibleDataReply): void {
    this.#waits.read({ offset, size, flags, reply });
  }

  /** Takes `clear:cl<ID>:<N>`; answers when that is on disk. */
  write(_offset: number, data: Uint8Array, reply: WriteReply): void {
    const { length } = data;
    const text = length > CLEAR_BYTES_MAX ? '' : nameFromBytes(data);
    const [, user, index] = CLEAR_TEXT.exec(text) ?? [];
    if (user === undefined || index === undefined) return reply.error(Errno.EINVAL);
    const request = { id: this.#id, user: Number(user), index: Number(index) };
    this.#mds.call('changelogClear', request, (errno) => {
      if (errno === 0) reply.written(length);
      else reply.error(errno);
    });
  }

  poll(kh: number, scheduleNotify: boolean, reply: PollReply): void {
    // Registered before readiness is tested, so that no wake-up falls in between.
    if (scheduleNotify) this.#waits.pollHandle = kh;
    this.#ready((events) => reply.events(events));
  }

  ioctl({ command, argument, input }: IoctlRequest, reply: IoctlReply): void {
    if (command === IOC_SET_FLAGS) {
      this.#follow = (argument & FLAG_FOLLOW) !== 0n;
      this.#format = { ...this.#format, lnetNid: (argument & FLAG_NID_BE) !== 0n };
      return reply.result(0, NOTHING);
    }
    if (command !== IOC_FILTER) return reply.error(Errno.ENOTTY);
    if (input.length !== FILTER_BYTES) return reply.error(Errno.EINVAL);
    const filter = Buffer.from(input);
    const field = filter.subarray(FILTER_NAME_AT, FILTER_NAME_AT + FILTER_NAME_BYTES);
    const end = field.indexOf(0);
    const name = nameFromBytes(end < 0 ? field : field.subarray(0, end));
    const user = filter.readUInt32LE(FILTER_USER_AT);
    this.#mds.call('changelogUser', { id: this.#id, user, name }, (errno) => {
      if (errno !== 0) return reply.error(errno);
      const mask = filter.readBigUInt64LE(0);
      // No mask of its own: what the user is registered for, which here is everything.
      const types = mask === 0n ? ALL_TYPES : Number(mask & TYPE_BITS);
      this.#format = { ...this.#format, types };
      reply.result(0, NOTHING);
    });
  }

  /** Records became visible, the feed ended, or passing over records is to go on. */
  wake(): void {
    this.#waits.retry();
    if (this.#waits.pollHandle === undefined) return;
    this.#ready((events) => {
      if (events !== 0) this.#waits.wakePoller();
    });
  }

  close(): void {
    this.#waits.close();
    this.#mds.call('feedClose', { id: this.#id }, () => {});
  }

  #moveTo(index: number): void {
    this.#index = index;
    this.#position = index;
  }

  /** Answers if there is something to answer with. */
  #try({ offset, size, reply }: PlacedRead, done: (answered: boolean) => void): void {
    // A read elsewhere names the record to go on with, for itself and those that follow.
    if (offset !== this.#position) this.#moveTo(offset);
    const { into, give } = landing(this.#mds, reply, size);
    const request = { id: this.#id, index: this.#index, into, ...this.#format };
    this.#mds.call('changelogNext', request, (errno, chunk) => {
      if (reply.answered) return done(true);
      if (chunk === undefined) {
        reply.error(errno === 0 ? Errno.EIO : errno);
        return done(true);
      }
      this.#index = chunk.index;
      if (chunk.length === 0) return done(this.#answerEmpty(chunk, reply));
      this.#position = offset + chunk.length;
      give(chunk.length);
      done(true);
    });
  }

  #answerEmpty({ state }: ChangelogChunk, reply: InterruptibleDataReply): boolean {
    if (state === 'unfinished' || (state === 'end' && this.#follow)) return false;
    if (state === 'damaged') reply.error(Errno.EIO);
    else reply.data(NOTHING);
    return true;
  }

  #ready(take: (events: number) => void): void {
    const request = { id: this.#id, index: this.#index, ...this.#format };
    this.#mds.call('changelogReady', request, (_errno, met) => {
      if (met === undefined || met.state === 'gone') return take(POLLIN | POLLRDNORM | POLLHUP);
      this.#index = met.index;
      if (met.state === 'more' || met.state === 'damaged') take(POLLIN | POLLRDNORM);
      else take(met.state === 'end' && !this.#follow ? POLLHUP : 0);
    });
  }
}
