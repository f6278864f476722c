/**
 * A program that maps a file, for {@link file://./mappings.ts}: `FILE BYTES HOW ARGUMENT`.
 *
 * - `read AT`: looks at one byte, which may kill it (SIGBUS)
 * - `write TEXT`: closes the descriptor, writes at the start of the second page, and ends
 *   without unmapping
 * - `die TEXT`: the same, but kills itself
 */
import * as fs from 'node:fs';
import { mmap } from './libc.js';

const PAGE = 4096;
const [, , path = '', length = '', how = '', argument = ''] = process.argv;

const fd = fs.openSync(path, 'r+');
const { bytes } = mmap(fd, Number(length), 'shared');
fs.closeSync(fd);
if (how === 'read') process.exit(bytes[Number(argument)] === undefined ? 1 : 0);
bytes.set(Buffer.from(argument), PAGE);
if (how === 'die') process.kill(process.pid, 'SIGKILL');
