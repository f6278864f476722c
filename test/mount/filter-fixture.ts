/** Mounts whose feeds have filters, and what those feeds show. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Fid, formatFid } from '../../src/base/fid.js';
import type { Line } from '../support/feed-line.js';
import { type TestMount, withMount } from '../support/mount.js';
import { until } from '../support/processes.js';

const BIG = 4 * 1024 * 1024;

/** What a feed has to read now, lines without their newline. */
export function linesOf(mount: TestMount, feed: string): string[] {
  const path = join(mount.mnt, '.lustre/feeds', feed, 'stream.ndjson');
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  const parts: Buffer[] = [];
  try {
    for (;;) {
      const buffer = Buffer.alloc(BIG);
      parts.push(buffer.subarray(0, fs.readSync(fd, buffer)));
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
  } finally {
    fs.closeSync(fd);
  }
  return Buffer.concat(parts)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
}

let marks = 0;

/** Waits until a feed without a filter shows all that was done so far. */
export async function settled(mount: TestMount): Promise<void> {
  const mark = `mark-${++marks}`;
  fs.mkdirSync(join(mount.mnt, mark));
  await until(
    () => linesOf(mount, 'all').some((line) => line.includes(`"${mark}"`)),
    'the record of the mark',
  );
}

/** `create x`, without the marks. */
export async function shown(mount: TestMount, feed: string): Promise<string[]> {
  await settled(mount);
  return linesOf(mount, feed)
    .map((line) => JSON.parse(line) as Line)
    .map(({ op, name }) => (name === undefined ? op : `${op} ${JSON.stringify(name).slice(1, -1)}`))
    .filter((text) => !text.includes('mark-'));
}

export function setFilter(mount: TestMount, feed: string, text: string): void {
  fs.writeFileSync(join(mount.feed(feed), 'filter'), text);
}

export function readFile(mount: TestMount, feed: string, file = 'filter'): string {
  return fs.readFileSync(join(mount.feed(feed), file), 'utf8');
}

export function fidOf(path: string): string {
  return formatFid(fs.statSync(path).ino as Fid);
}

export function withFeeds(
  filters: Readonly<Record<string, string>>,
  use: (mount: TestMount) => Promise<void>,
): Promise<void> {
  return withMount(async (mount) => {
    mount.feed('all');
    for (const [feed, filter] of Object.entries(filters)) setFilter(mount, feed, filter);
    await use(mount);
  });
}
