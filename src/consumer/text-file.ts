/** Reading the small text files of the control tree. */
import * as fs from 'node:fs';
import { FeedError, fromNodeError } from './errors.js';
import { TEXT_FILE_BYTES_MAX, TEXT_READ_BYTES } from './limits.js';

/** What is read from: sequential reads, 0 at the end. */
export interface TextReads {
  read(into: Buffer): Promise<{ readonly bytesRead: number }>;
}

/**
 * The whole text, as it was when the file was opened. read(2) to the end of one open file:
 * fstat(2) tells the size of the text as it is by then, which is another one while records
 * come and are acknowledged. Throws FeedError.
 */
export async function readTextFile(file: string): Promise<string> {
  try {
    const handle = await fs.promises.open(file, fs.constants.O_RDONLY);
    try {
      return await readToEnd({ read: (into) => handle.read(into, 0, into.length, null) }, file);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fromNodeError(error, file);
  }
}

/** Throws FeedError `BAD_RECORD` for what is longer than any of these files. */
export async function readToEnd(from: TextReads, file: string): Promise<string> {
  const parts: Buffer[] = [];
  for (let bytes = 0; bytes <= TEXT_FILE_BYTES_MAX; ) {
    const into = Buffer.allocUnsafe(TEXT_READ_BYTES);
    const { bytesRead } = await from.read(into);
    if (bytesRead === 0) return Buffer.concat(parts).toString('utf8');
    parts.push(into.subarray(0, bytesRead));
    bytes += bytesRead;
  }
  throw new FeedError('BAD_RECORD', file, `${file} does not end`);
}
