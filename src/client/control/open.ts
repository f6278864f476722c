/**
 * One open of a file of the control tree. What a kind of file does not implement is
 * refused in the same way for all of them (ops/control.ts).
 */
import type {
  Caller,
  InterruptibleDataReply,
  IoctlReply,
  IoctlRequest,
  LseekReply,
  PollReply,
  Reply,
  WriteReply,
} from '../../fuse/api.js';

export interface ControlOpen {
  /** `flags` are those of this read: O_NONBLOCK may have changed since the open. */
  read(
    offset: number,
    size: number,
    flags: number,
    reply: InterruptibleDataReply,
    caller: Caller,
  ): void;
  /** Absent: EPERM. `data` is valid until it returns. */
  write?(offset: number, data: Uint8Array, reply: WriteReply, caller: Caller): void;
  /** Absent: always ready, like any ordinary file. */
  poll?(kh: number, scheduleNotify: boolean, reply: PollReply, caller: Caller): void;
  /** SEEK_DATA and SEEK_HOLE; the kernel does the others. Absent: EINVAL. */
  lseek?(offset: number, whence: 'data' | 'hole', reply: LseekReply): void;
  /** Absent: what it did is on disk, and the call is a sync of everything (sync-all.ts). */
  fsync?(reply: Reply & { ok(): void }): void;
  /** FALLOC_FL_PUNCH_HOLE with KEEP_SIZE. Absent: EPERM. */
  punch?(offset: number, length: number, reply: Reply & { ok(): void }): void;
  /** Absent: ENOTTY. */
  ioctl?(request: IoctlRequest, reply: IoctlReply): void;
  /** A read is parked, or the kernel waits for a wake-up. */
  readonly waiting?: boolean;
  /** What it shows depends on who may get where: see {@link OpenTable.judged}. */
  readonly judged?: boolean;
  /** Records became visible, or a feed ended: whoever waits tries again. */
  wake?(): void;
  /** The last descriptor is gone. */
  close?(): void;
}
