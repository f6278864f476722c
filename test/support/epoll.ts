/** epoll(7), which Node does not offer, for tests that wait on files of a mount. */
import { closeSync } from 'node:fs';
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');
const epollCreate = libc.func('int epoll_create1(int)');
const epollCtl = libc.func('int epoll_ctl(int, int, int, const void *)');
const epollWait = libc.func('int epoll_wait(int, void *, int, int)');

export const EPOLLIN = 0x001;
export const EPOLLHUP = 0x010;
export const EPOLLONESHOT = 0x4000_0000;
export const EPOLLET = 0x8000_0000;

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_MOD = 3;
/** struct epoll_event is packed on x86-64 only. */
const EVENT_BYTES = process.arch === 'x64' ? 12 : 16;
const DATA_AT = EVENT_BYTES - 8;
const EVENTS_MAX = 64;

export interface EpollEvent {
  readonly fd: number;
  readonly events: number;
}

export class Epoll {
  readonly #fd: number;

  constructor() {
    this.#fd = epollCreate(EPOLL_CLOEXEC);
    if (this.#fd < 0) throw new Error(`epoll_create1: errno ${koffi.errno()}`);
  }

  add(fd: number, events: number): void {
    this.#control(EPOLL_CTL_ADD, fd, events);
  }

  modify(fd: number, events: number): void {
    this.#control(EPOLL_CTL_MOD, fd, events);
  }

  /** Waits on a thread of its own; empty when the time is over. */
  wait(timeoutMs: number): Promise<EpollEvent[]> {
    const buffer = Buffer.alloc(EVENTS_MAX * EVENT_BYTES);
    return new Promise((resolve, reject) => {
      epollWait.async(this.#fd, buffer, EVENTS_MAX, timeoutMs, (error: unknown, count: number) => {
        if (error !== null && error !== undefined) reject(error);
        else if (count < 0) reject(new Error('epoll_wait failed'));
        else resolve(Array.from({ length: count }, (_, i) => eventAt(buffer, i)));
      });
    });
  }

  close(): void {
    closeSync(this.#fd);
  }

  #control(operation: number, fd: number, events: number): void {
    const event = Buffer.alloc(EVENT_BYTES);
    event.writeUInt32LE(events >>> 0, 0);
    event.writeInt32LE(fd, DATA_AT);
    if (epollCtl(this.#fd, operation, fd, event) < 0) {
      throw new Error(`epoll_ctl: errno ${koffi.errno()}`);
    }
  }
}

function eventAt(buffer: Buffer, i: number): EpollEvent {
  const at = i * EVENT_BYTES;
  return { fd: buffer.readInt32LE(at + DATA_AT), events: buffer.readUInt32LE(at) };
}
