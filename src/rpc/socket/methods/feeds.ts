/** Feeds, their Lustre view, watches and baselines. */
import type {
  ChangelogState,
  FeedFile,
  FeedPlaces,
  FeedSetting,
  FeedStatus,
  FeedSummary,
  FeedText,
  FeedView,
} from '../../messages.js';
import type { RemoteRequest, RemoteResult } from '../../remote.js';
import { list, nothing, oneOf, optional, struct } from '../codec.js';
import { FEED_ROWS_MAX, ROOM_MAX } from '../limits.js';
import { time, watcher } from '../objects.js';
import { bool, bytes, fileName, longText, u32, uint, upTo } from '../scalars.js';
import type { MethodCodecs } from './method-codec.js';

const room = upTo(ROOM_MAX);
const brought = bytes(ROOM_MAX);
const ofId = struct({ id: uint });
const summary = struct<FeedSummary>({ id: uint, name: fileName });
const view = oneOf<FeedView>('stream', 'ndjson');
const file = { id: uint, view, epoch: uint };
const chunk = struct<RemoteResult<'feedNext'>>({
  cursor: uint,
  gone: bool,
  damaged: bool,
  bytes: brought,
});
const state = oneOf<ChangelogState>('more', 'end', 'gone', 'damaged', 'unfinished');
const changelogRead = { id: uint, index: uint, types: uint, lnetNid: bool };

const status = struct<FeedStatus>({ id: uint, size: uint, owed: uint, mtime: time, created: time });

const feedPlaces = struct<FeedPlaces>({
  epoch: uint,
  firstOffset: uint,
  nextOffset: uint,
  firstIndex: uint,
  nextIndex: uint,
  firstText: uint,
  nextText: uint,
});

export const feedMethods: MethodCodecs<
  | 'feedCreate'
  | 'feedRemove'
  | 'feedLookup'
  | 'feedList'
  | 'feedOpen'
  | 'feedClose'
  | 'feedStatus'
  | 'feedPlaces'
  | 'feedText'
  | 'feedSetText'
  | 'feedNext'
  | 'feedAt'
  | 'feedSeek'
  | 'feedReady'
  | 'feedPunch'
  | 'feedWatch'
> = {
  feedCreate: { number: 32, request: struct({ name: fileName }), result: summary },
  feedRemove: { number: 33, request: struct({ name: fileName }), result: nothing },
  feedLookup: { number: 34, request: struct({ name: fileName }), result: summary },
  feedList: { number: 35, request: nothing, result: list(summary, FEED_ROWS_MAX) },
  feedOpen: { number: 36, request: ofId, result: struct({ epoch: uint }) },
  feedClose: { number: 37, request: ofId, result: nothing },
  feedStatus: {
    number: 38,
    request: struct<RemoteRequest<'feedStatus'>>({ id: uint, view, epoch: optional(uint) }),
    result: status,
  },
  feedPlaces: { number: 39, request: ofId, result: feedPlaces },
  feedText: {
    number: 40,
    request: struct({ id: uint, file: oneOf<FeedText>('info', 'filter', 'policy') }),
    result: longText,
  },
  feedSetText: {
    number: 41,
    request: struct({ id: uint, file: oneOf<FeedSetting>('filter', 'policy'), text: longText }),
    result: nothing,
  },
  feedNext: {
    number: 42,
    request: struct<RemoteRequest<'feedNext'>>({ ...file, cursor: uint, room }),
    result: chunk,
  },
  feedAt: {
    number: 43,
    request: struct<RemoteRequest<'feedAt'>>({ ...file, offset: uint, room }),
    result: chunk,
  },
  feedSeek: {
    number: 44,
    request: struct<RemoteRequest<'feedSeek'>>({
      ...file,
      offset: uint,
      whence: oneOf('data', 'hole'),
    }),
    result: uint,
  },
  feedReady: {
    number: 45,
    request: struct<FeedFile & { cursor: number }>({ ...file, cursor: uint }),
    result: bool,
  },
  feedPunch: {
    number: 46,
    request: struct<RemoteRequest<'feedPunch'>>({ ...file, offset: uint, length: uint }),
    result: nothing,
  },
  feedWatch: { number: 47, request: struct({ waiting: bool }), result: nothing },
};

export const readerMethods: MethodCodecs<
  | 'changelogNext'
  | 'changelogReady'
  | 'changelogClear'
  | 'changelogUser'
  | 'watchOpen'
  | 'watchFilter'
  | 'watchNext'
  | 'watchReady'
  | 'watchClose'
  | 'baselineOpen'
  | 'baselineNext'
  | 'baselineKeep'
  | 'baselineClose'
> = {
  changelogNext: {
    number: 56,
    request: struct<RemoteRequest<'changelogNext'>>({ ...changelogRead, room }),
    result: struct<RemoteResult<'changelogNext'>>({ index: uint, state, bytes: brought }),
  },
  changelogReady: {
    number: 57,
    request: struct<RemoteRequest<'changelogReady'>>(changelogRead),
    result: struct<RemoteResult<'changelogReady'>>({ index: uint, state }),
  },
  changelogClear: {
    number: 58,
    request: struct({ id: uint, user: uint, index: uint }),
    result: nothing,
  },
  changelogUser: {
    number: 59,
    request: struct({ id: uint, user: uint, name: fileName }),
    result: nothing,
  },
  watchOpen: { number: 64, request: struct({ who: watcher }), result: ofId },
  watchFilter: {
    number: 65,
    request: struct({ id: uint, by: watcher, text: longText }),
    result: nothing,
  },
  watchNext: {
    number: 66,
    request: struct({ id: uint, by: watcher, room }),
    result: struct({ bytes: brought }),
  },
  watchReady: { number: 67, request: struct({ id: uint, by: watcher }), result: bool },
  watchClose: { number: 68, request: ofId, result: nothing },
  baselineOpen: { number: 72, request: struct({ feed: u32 }), result: ofId },
  baselineNext: {
    number: 73,
    request: struct({ id: uint, room }),
    result: struct({ bytes: brought }),
  },
  baselineKeep: { number: 74, request: ofId, result: nothing },
  baselineClose: { number: 75, request: ofId, result: nothing },
};
