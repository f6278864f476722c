/** pipe(2), which Node does not offer: a pair of descriptors to give to two children. */
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');
const pipe2 = libc.func('int pipe2(_Out_ int *fds, int flags)');
const O_CLOEXEC = 0o2000000;

export interface Pipe {
  readonly read: number;
  readonly write: number;
}

/** Both ends are the caller's to close. */
export function makePipe(): Pipe {
  const fds = [0, 0];
  if (pipe2(fds, O_CLOEXEC) < 0) throw new Error(`pipe2: errno ${koffi.errno()}`);
  const [read = -1, write = -1] = fds;
  return { read, write };
}
