import * as fs from 'node:fs';
import koffi from 'koffi';
import { DAEMON_LOG_BYTES_MAX } from './limits.js';

/** Sends this process's output to a file: the terminal may go away. dup2(2). */
export function redirectOutput(file: string): void {
  const fd = fs.openSync(file, 'a', 0o600);
  if (fs.fstatSync(fd).size > DAEMON_LOG_BYTES_MAX) fs.ftruncateSync(fd, 0);
  const dup2 = koffi.load(null).func('int dup2(int from, int to)');
  dup2(fd, 1);
  dup2(fd, 2);
  fs.closeSync(fd);
}
