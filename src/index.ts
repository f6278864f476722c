/**
 * feedfs for consumers: follow, acknowledge and resume a feed. Everything here
 * uses only the files of a mount; nothing needs the filesystem's own code.
 *
 * ```ts
 * import { openFeed } from 'feedfs';
 *
 * const feed = await openFeed('/mnt/.lustre/feeds/backup');
 * for await (const record of feed.records()) {
 *   await backUp(record);
 *   await feed.acknowledge(record);
 * }
 * feed.close();
 * ```
 */
export { FeedError } from './consumer/errors.js';
export { Feed, type ReadFeedOptions, type StartPosition } from './consumer/feed.js';
export { createFeed, feedsDirectory, listFeeds, openFeed, removeFeed } from './consumer/feeds.js';
export { parseRecord } from './consumer/parse.js';
export type * from './consumer/types.js';
