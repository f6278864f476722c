/** A feedfs and its copy, mounted, and what a receiver tells that one. */
import { tmpdir } from 'node:os';
import { noCounts } from '../../src/bridges/receive/counts.js';
import { itemsOfBatch } from '../../src/bridges/receive/feedfs/batch-items.js';
import { ReplicaFile, readReplicaState } from '../../src/bridges/receive/feedfs/replica-file.js';
import { Session } from '../../src/bridges/receive/session.js';
import type { Batch } from '../../src/bridges/receive/target.js';
import { StreamReader } from '../../src/bridges/stream/reader.js';
import { openFeed } from '../../src/consumer/feeds.js';
import type { ReplicaItem } from '../../src/rpc/replica-message.js';
import { MemoryTarget } from '../bridges/receive/memory-target.js';
import type { Received } from '../clone/cloning.js';
import { withMounts } from '../clone/targets.js';
import { FakeClock } from '../support/fake-clock.js';
import type { TestMount } from '../support/mount.js';

export const FEED = 'copy';
export const LAST = ['--from', 'last'];

/** Source and copy, both empty, the copy as if it had the baseline of that. */
export function withPair(
  use: (source: TestMount, copy: TestMount) => Promise<void>,
): Promise<void> {
  return withMounts(2, async (source, copy) => {
    const feed = await openFeed(source.feed(FEED));
    copy.feed('own');
    const { id, filesystem, acknowledged } = await feed.info();
    feed.close();
    const file = new ReplicaFile(copy.mnt);
    const { epoch, offset, index } = acknowledged;
    const place = { epoch, offset, index };
    file.add({ do: 'begin', filesystem, feed: id, baseline: 'complete', place });
    await file.sync();
    file.close();
    await use(source, copy);
  });
}

/** What the receiver would tell the copy. */
export async function itemsOf(stream: Buffer, copy: TestMount): Promise<readonly ReplicaItem[]> {
  const target = new MemoryTarget();
  target.progress = readReplicaState(copy.mnt)?.source;
  const items: ReplicaItem[] = [];
  target.apply = async (batch: Batch) => {
    items.push(...itemsOfBatch(batch));
  };
  const session = new Session({
    frames: new StreamReader(
      (async function* () {
        yield stream;
      })(),
    ),
    target,
    counts: noCounts(),
    clock: new FakeClock(),
    spoolDirectory: tmpdir(),
    begin: () => {},
    durable: () => {},
    notice: () => {},
  });
  await session.run();
  return items;
}

export function told({ code, stderr }: Received): string {
  return `${code}: ${stderr}`;
}
