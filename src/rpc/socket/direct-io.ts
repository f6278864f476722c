/**
 * recv(2) and send(2) on the descriptor of a stream that Node reads as well. Whoever waits for
 * an answer that is due at once takes it in the tick in which it comes, without a turn of the
 * event loop; what is sent goes out without a request object. Neither ever blocks.
 *
 * Node notices nothing: where it finds the socket empty it waits on. The end of the stream and
 * failures are left for it to find.
 */
import koffi from 'koffi';
import { RECEIVE_BYTES } from './limits.js';

const libc = koffi.load('libc.so.6');
type Transfer = (fd: number, bytes: Buffer, length: number, flags: number) => number;
const recv = libc.func('int64_t recv(int fd, void *into, size_t length, int flags)') as Transfer;
const send = libc.func('int64_t send(int fd, void *from, size_t length, int flags)') as Transfer;

// asm-generic/socket.h and linux/socket.h
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

export interface DirectIo {
  /** What has come, to keep; undefined if there is nothing, or its end. */
  receive(): Buffer | undefined;
  /** How many of the bytes were taken; 0 if none can be now. */
  send(bytes: Buffer): number;
}

/** One for all: what was received is copied out of it at once. */
const room = Buffer.allocUnsafeSlow(RECEIVE_BYTES);

/** Of a descriptor that stays open for as long as this is used. */
export function directIo(fd: number): DirectIo {
  return {
    receive() {
      const count = recv(fd, room, room.length, MSG_DONTWAIT);
      return count > 0 ? Buffer.from(room.subarray(0, count)) : undefined;
    },
    send: (bytes) => Math.max(0, send(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL)),
  };
}
