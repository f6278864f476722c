/** A process that may not make files longer than so much: a way to have a write fail half-way. */
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');
const getLimit = libc.func('int getrlimit(int resource, void *limit)');
const setLimit = libc.func('int setrlimit(int resource, const void *limit)');
const RLIMIT_FSIZE = 1;

/** Runs `use` with that limit. Node ignores the signal (SIGXFSZ) that comes with the errno. */
export function withFileLimit(bytes: number, use: () => void): void {
  // Soft and hard limit.
  const limit = new BigUint64Array(2);
  getLimit(RLIMIT_FSIZE, limit);
  if (setLimit(RLIMIT_FSIZE, BigUint64Array.of(BigInt(bytes), limit[1] ?? 0n)) !== 0) {
    throw new Error('setrlimit');
  }
  try {
    use();
  } finally {
    setLimit(RLIMIT_FSIZE, limit);
  }
}
