/**
 * What a thread asks of the kernel, from the line of /proc/TID/syscall (proc_pid_syscall(5)):
 * the number of the system call, six arguments, stack pointer and program counter. Only
 * registers are read, never the caller's memory: a page of it may be of this very filesystem.
 */

/** `other` is known, and is none of the rest. */
export type SystemCall =
  /** A file is opened by its path; the flags are undefined where they are in memory (openat2). */
  | { readonly kind: 'open'; readonly flags: number | undefined }
  /** A program is opened to run it. */
  | { readonly kind: 'exec' }
  | { readonly kind: 'getxattr' }
  | { readonly kind: 'other' };

/** Which argument holds the flags; `creat` has none, `memory` has them out of reach. */
type Opens = 1 | 2 | 'creat' | 'memory';

interface Numbers {
  readonly opens: ReadonlyMap<number, Opens>;
  readonly execs: ReadonlySet<number>;
  readonly getxattrs: ReadonlySet<number>;
}

const OPENAT2 = 437;
const GETXATTRAT = 464;
/** It does the work of others, which nobody outside can tell. */
const IO_URING_ENTER = 426;

/** Numbers of asm/unistd.h, by Node's name of the architecture. */
const NUMBERS: Readonly<Record<string, Numbers>> = {
  x64: {
    // open, openat, creat, openat2, open_by_handle_at
    opens: new Map<number, Opens>([
      [2, 1],
      [257, 2],
      [85, 'creat'],
      [OPENAT2, 'memory'],
      [304, 2],
    ]),
    // execve, execveat
    execs: new Set([59, 322]),
    // getxattr, lgetxattr, fgetxattr
    getxattrs: new Set([191, 192, 193, GETXATTRAT]),
  },
  arm64: {
    opens: new Map<number, Opens>([
      [56, 2],
      [OPENAT2, 'memory'],
      [265, 2],
    ]),
    execs: new Set([221, 281]),
    getxattrs: new Set([8, 9, 10, GETXATTRAT]),
  },
};

const CREAT_FLAGS = 0o1101;

/** Stack pointers of 32-bit programs, whose system calls have other numbers, and of kernel threads. */
const NARROW_STACK_MAX = 2 ** 32;

/**
 * Undefined where it cannot be known: the thread is running, in no system call, of another
 * architecture, or has others work for it. `arch` is as in process.arch.
 */
export function parseSystemCall(line: string, arch: string): SystemCall | undefined {
  const numbers = NUMBERS[arch];
  const fields = line.trim().split(' ');
  if (numbers === undefined || fields.length !== 9) return undefined;
  const number = Number(fields[0]);
  const stack = Number(fields[7]);
  if (!(number >= 0) || !(stack >= NARROW_STACK_MAX) || number === IO_URING_ENTER) return undefined;
  const opens = numbers.opens.get(number);
  if (opens !== undefined) return { kind: 'open', flags: flagsOf(opens, fields) };
  if (numbers.execs.has(number)) return { kind: 'exec' };
  return { kind: numbers.getxattrs.has(number) ? 'getxattr' : 'other' };
}

function flagsOf(opens: Opens, fields: readonly string[]): number | undefined {
  if (opens === 'memory') return undefined;
  if (opens === 'creat') return CREAT_FLAGS;
  // An int in a register of 64 bits: what is above it means nothing.
  return Number.parseInt((fields[1 + opens] ?? '').replace('0x', '').slice(-8), 16);
}
