/** How system calls are bound, once for each thread, and what their arguments are made of. */
import koffi from 'koffi';
import { Errno } from '../../base/errno.js';
import { PATH_BYTES } from './limits.js';

const libc = koffi.load(null);

export type Bytes = Uint8Array;

/** A function of the C library that the process itself runs on. */
export function bind<Call>(definition: string): Call {
  return libc.func(definition) as unknown as Call;
}

/** Paths as C wants them, one for each of the two that a call can have. */
const paths = [Buffer.allocUnsafeSlow(PATH_BYTES), Buffer.allocUnsafeSlow(PATH_BYTES)] as const;

/** Valid until the next call with the same slot; undefined if it is longer than any path. */
export function cPath(slot: 0 | 1, text: string): Buffer | undefined {
  if (text.length >= PATH_BYTES) return undefined;
  const bytes = paths[slot];
  bytes[bytes.write(text, 0, 'latin1')] = 0;
  return bytes;
}

/** A path or name as C wants it, which stays valid. `text` is a binary string. */
export function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'latin1');
}

export const TOO_LONG = -Errno.ENAMETOOLONG;

/** The result of the call just made, or the negative errno. */
export function result(value: number): number {
  return value < 0 ? -koffi.errno() : value;
}

/** The path of the object itself that a descriptor is given with. */
export const NOTHING = Buffer.from([0]);

/** The path that stands for what a descriptor of any kind, O_PATH too, has open. */
const proc = Buffer.alloc(32);
export function procPath(fd: number): Buffer {
  proc[proc.write(`/proc/self/fd/${fd}`, 0, 'latin1')] = 0;
  return proc;
}
