/** The four system calls of a consumer that Node's fs lacks. */
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');
const c = {
  epollCreate: libc.func('int epoll_create1(int)'),
  epollCtl: libc.func('int epoll_ctl(int, int, int, const void *)'),
  epollWait: libc.func('int epoll_wait(int, void *, int, int)'),
  lseek: libc.func('int64_t lseek(int, int64_t, int)'),
  fallocate: libc.func('int fallocate(int, int, int64_t, int64_t)'),
};

const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;
const SEEK_DATA = 3;
const PUNCH_HOLE_KEEP_SIZE = 3;
/** struct epoll_event is packed on x86 only. */
const EVENT_BYTES = process.arch === 'x64' ? 12 : 16;

/** Waits until one descriptor is readable, or hung up, which reading it then tells apart. */
export class Epoll {
  #fd: number;
  #event = Buffer.alloc(EVENT_BYTES);

  constructor(watched: number) {
    this.#fd = c.epollCreate(0);
    this.#event.writeUInt32LE(EPOLLIN, 0);
    if (this.#fd < 0 || c.epollCtl(this.#fd, EPOLL_CTL_ADD, watched, this.#event) < 0) {
      throw new Error(`epoll refuses the descriptor: errno ${koffi.errno()}`);
    }
  }

  get fd(): number {
    return this.#fd;
  }

  /** Blocks the whole process, which has nothing else to do. */
  wait(): void {
    c.epollWait(this.#fd, this.#event, 1, -1);
  }
}

/** Position of the first data: where a restarted consumer goes on. The end if nothing is owed. */
export function seekData(fd: number): number {
  const position = Number(c.lseek(fd, 0, SEEK_DATA));
  return position < 0 ? Number(c.lseek(fd, 0, 2)) : position;
}

/** Cancels these bytes of a feed; true once that is on disk. */
export function punchHole(fd: number, offset: number, length: number): boolean {
  return c.fallocate(fd, PUNCH_HOLE_KEEP_SIZE, offset, length) === 0;
}
