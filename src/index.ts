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
export { type Move, moveOf } from './consumer/moves.js';
export { parseRecord } from './consumer/parse.js';
export {
  type FeedSettings,
  readFilter,
  readPolicy,
  type SettingValue,
  setFilter,
  setPolicy,
} from './consumer/settings.js';
export type * from './consumer/types.js';
export { openWatch, Watch, type WatchOptions } from './consumer/watch.js';
export { parseWatchRecord, type WatchRecord } from './consumer/watch-record.js';
