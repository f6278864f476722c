/** What a daemon says while it ends, to whoever is not its parent: the end of its log. */
import * as fs from 'node:fs';
import { DAEMON_LAST_WORDS_BYTES_MAX } from './limits.js';

/** What a mount that could not save everything ends with. */
export const NOT_SAVED = 'the last changes could not be saved';

/** What was written into the log since it was opened, bounded. Callable once. */
export type DaemonLog = () => string;

/** Undefined where its messages go to no regular file, or may not be read. */
export function daemonLog(pid: number): DaemonLog | undefined {
  const file = `/proc/${pid}/fd/2`;
  let fd: number;
  try {
    if (!fs.statSync(file).isFile()) return undefined;
    fd = fs.openSync(file, 'r');
  } catch {
    return undefined;
  }
  const from = fs.fstatSync(fd).size;
  return () => {
    try {
      const start = Math.max(from, fs.fstatSync(fd).size - DAEMON_LAST_WORDS_BYTES_MAX);
      const bytes = Buffer.alloc(DAEMON_LAST_WORDS_BYTES_MAX);
      return bytes.subarray(0, fs.readSync(fd, bytes, 0, bytes.length, start)).toString();
    } finally {
      fs.closeSync(fd);
    }
  };
}
