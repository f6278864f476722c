/**
 * Many waiters in one process: opens a file so many times, each open in an epoll
 * of its own, and says on standard output how many have been woken.
 *
 *     node epoll-waiters.js FILE COUNT level|edge
 *
 * Prints `waiting`, then `woken N` whenever N grows, each line at once.
 */
import * as fs from 'node:fs';
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');
const epollCreate = libc.func('int epoll_create1(int)');
const epollCtl = libc.func('int epoll_ctl(int, int, int, const void *)');
const epollWait = libc.func('int epoll_wait(int, void *, int, int)');

const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;
const EPOLLET = 0x8000_0000;
const EVENT_BYTES = process.arch === 'x64' ? 12 : 16;
const DATA_AT = EVENT_BYTES - 8;

function watch(epoll: number, fd: number, events: number): void {
  const event = Buffer.alloc(EVENT_BYTES);
  event.writeUInt32LE(events >>> 0, 0);
  event.writeUInt32LE(fd, DATA_AT);
  if (epollCtl(epoll, EPOLL_CTL_ADD, fd, event) < 0) throw new Error(`epoll_ctl: ${koffi.errno()}`);
}

function main(file: string, count: number, events: number): void {
  const all = epollCreate(0);
  for (let i = 0; i < count; i++) {
    const own = epollCreate(0);
    watch(own, fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK), events);
    // An epoll is itself pollable, so one more of them gathers all. Once is enough of each.
    watch(all, own, EPOLLIN | EPOLLET);
  }
  fs.writeSync(1, 'waiting\n');
  const woken = new Set<number>();
  const ready = Buffer.alloc(64 * EVENT_BYTES);
  while (woken.size < count) {
    const n: number = epollWait(all, ready, 64, -1);
    for (let i = 0; i < n; i++) {
      const own = ready.readUInt32LE(i * EVENT_BYTES + DATA_AT);
      const event = Buffer.alloc(EVENT_BYTES);
      if (epollWait(own, event, 1, 0) === 1 && event.readUInt32LE(0) & EPOLLIN) woken.add(own);
    }
    fs.writeSync(1, `woken ${woken.size}\n`);
  }
}

const [, , file = '', count = '0', trigger = 'level'] = process.argv;
main(file, Number(count), trigger === 'edge' ? EPOLLIN | EPOLLET : EPOLLIN);
