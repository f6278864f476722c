/**
 * A program that maps the first bytes of a file, `FILE BYTES`. Of each number N that it is sent it
 * writes N through the mapping, makes the file BYTES + N long, and answers with N.
 */
import * as fs from 'node:fs';
import { mmap } from '../posix/libc.js';

const [, , path = '', length = ''] = process.argv;
const fd = fs.openSync(path, 'r+');
const { bytes } = mmap(fd, Number(length), 'shared');
process.on('message', (n: number) => {
  bytes[100] = n;
  fs.ftruncateSync(fd, Number(length) + n);
  process.send?.(n);
});
process.send?.(0);
