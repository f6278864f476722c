/** For callers to whom a failed system call is an exception. */
import { getSystemErrorName } from 'node:util';

/** A system call that failed. `code` is the errno's name. */
export class SystemCallError extends Error {
  override readonly name = 'SystemCallError';
  readonly errno: number;
  readonly code: string;
  readonly syscall: string;

  constructor(syscall: string, errno: number) {
    const code = getSystemErrorName(-errno);
    super(`${code}: ${syscall}`);
    this.errno = errno;
    this.code = code;
    this.syscall = syscall;
  }
}
