/** The records of a feed as lines, to compare those of a copy with those of its source. */
import * as fs from 'node:fs';
import { join } from 'node:path';

const CHUNK_BYTES = 1024 * 1024;

/** What the feed owes now, line by line. */
export function linesOf(mnt: string, feed: string): readonly string[] {
  const path = join(mnt, '.lustre', 'feeds', feed, 'stream.ndjson');
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  const parts: Buffer[] = [];
  try {
    for (;;) {
      const buffer = Buffer.alloc(CHUNK_BYTES);
      parts.push(buffer.subarray(0, fs.readSync(fd, buffer)));
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
  } finally {
    fs.closeSync(fd);
  }
  return Buffer.concat(parts).toString('utf8').split('\n').slice(0, -1);
}

/** Where a record is in its own log: all that may differ between a source and its copy. */
const OWN = new Set(['index', 'transno', 'offset', 'epoch']);

/** The lines without what each log has of its own. */
export function comparable(lines: readonly string[]): readonly string[] {
  return lines.map((line) =>
    JSON.stringify(JSON.parse(line), (key, value: unknown) => (OWN.has(key) ? undefined : value)),
  );
}
