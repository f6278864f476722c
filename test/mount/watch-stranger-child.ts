/** Says what poll(2) and read(2) make of descriptor 3: POLLIN, POLLERR or nothing; `read`, or the errno. */
import * as fs from 'node:fs';
import koffi from 'koffi';

const HANDED = 3;
const POLLIN = 1;
const POLLERR = 8;

const poll = koffi.load('libc.so.6').func('int poll(void *fds, unsigned long count, int timeout)');

function polled(): string {
  const pollfd = Buffer.alloc(8);
  pollfd.writeInt32LE(HANDED, 0);
  pollfd.writeInt16LE(POLLIN, 4);
  poll(pollfd, 1, 0);
  const events = pollfd.readInt16LE(6);
  if ((events & POLLERR) !== 0) return 'POLLERR';
  return (events & POLLIN) !== 0 ? 'POLLIN' : 'nothing';
}

function read(): string {
  try {
    fs.readSync(HANDED, Buffer.alloc(10), 0, 10, null);
    return 'read';
  } catch (error) {
    return `${(error as NodeJS.ErrnoException).code}`;
  }
}

fs.writeSync(1, `${polled()} ${read()}\n`);
