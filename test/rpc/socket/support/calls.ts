/** Random requests and results of every method. */
import fc from 'fast-check';
import type { Method } from '../../../../src/rpc/messages.js';
import type { RemoteRequest, RemoteResult } from '../../../../src/rpc/remote.js';
import { reintRequest } from './changes.js';
import { recoveryStatus, stats } from './state.js';
import {
  attributes,
  bool,
  bytes,
  credentials,
  fid,
  hex32,
  list,
  maybe,
  name,
  owner,
  record,
  target,
  time,
  u32,
  uint,
  watcher,
  words,
} from './values.js';

type CallsOf = {
  readonly [M in Method]: {
    readonly request: fc.Arbitrary<RemoteRequest<M>>;
    readonly result: fc.Arbitrary<RemoteResult<M>>;
  };
};

const nothing = fc.constant(undefined);
const ofFid = record({ fid });
const ofId = record({ id: uint });
const opened = record({ attributes, contents: maybe(bytes) });
const room = fc.nat(2 ** 20);
const brought = record({ bytes });
const view = fc.constantFrom('stream', 'ndjson');
const file = { id: uint, view, epoch: uint };
const summary = record({ id: uint, name });
const chunk = record({ cursor: uint, gone: bool, damaged: bool, bytes });
const changelog = { id: uint, index: uint, types: uint, lnetNid: bool };
const state = fc.constantFrom('more', 'end', 'gone', 'damaged', 'unfinished');
const place = record({ epoch: uint, offset: uint, index: uint });
const baseline = fc.constantFrom('running', 'complete');
const lockWanted = {
  fid,
  owner,
  flock: bool,
  type: fc.constantFrom('shared', 'exclusive', 'none'),
  start: uint,
  end: uint,
  pid: u32,
};
const author = { who: credentials, killSuidgid: bool };
const entry = record({ name, fid, type: u32, cookie: uint, attributes: maybe(attributes) });

export const CALLS: CallsOf = {
  lookup: { request: record({ parent: fid, name }), result: attributes },
  getattr: { request: ofFid, result: attributes },
  readlink: { request: ofFid, result: target },
  reint: {
    request: reintRequest,
    result: record(
      { attributes, kept: maybe(fid), transno: uint, time, made: fid },
      { requiredKeys: ['attributes', 'kept', 'transno', 'time'] },
    ),
  },
  open: {
    request: record({ fid, write: bool, uid: u32 }, { requiredKeys: ['fid'] }),
    result: opened,
  },
  close: { request: ofFid, result: nothing },
  contents: { request: ofFid, result: opened },
  lock: { request: ofFid, result: attributes },
  readdir: {
    request: record({ fid, cookie: uint, attributes: bool, entries: fc.nat(1_024) }),
    result: record({ entries: list(entry), more: bool }),
  },
  parent: { request: ofFid, result: fid },
  getxattr: { request: record({ fid, name }), result: bytes },
  listxattr: { request: ofFid, result: list(name) },
  statfs: {
    request: nothing,
    result: record({
      blocks: uint,
      bfree: uint,
      bavail: uint,
      bsize: uint,
      files: uint,
      ffree: uint,
      smallFree: uint,
    }),
  },
  accessed: { request: record({ fid, atime: time }), result: nothing },
  sync: { request: nothing, result: nothing },
  intent: { request: record({ fid, generation: u32, durable: bool }), result: nothing },
  admitData: {
    request: record({ who: credentials, fid }),
    result: record({ watchful: bool }),
  },
  intentOver: { request: record({ fid, generation: u32 }), result: nothing },
  access: {
    request: record(
      {
        who: credentials,
        fid,
        kind: fc.constantFrom('open', 'close', 'denied', 'getxattr'),
        flags: maybe(u32),
        errno: fc.nat(4_095),
        name,
        directory: bool,
        repeated: uint,
      },
      { requiredKeys: ['who', 'fid', 'kind', 'flags', 'errno', 'directory', 'repeated'] },
    ),
    result: nothing,
  },
  places: {
    request: record({ fids: list(fid) }),
    result: list(
      record({
        fid,
        mode: u32,
        places: list(record({ parent: fc.oneof(fid, fc.constant(0 as const)), name })),
      }),
    ),
  },
  feedCreate: { request: record({ name }), result: summary },
  feedRemove: { request: record({ name }), result: nothing },
  feedLookup: { request: record({ name }), result: summary },
  feedList: { request: nothing, result: list(summary) },
  feedOpen: { request: ofId, result: record({ epoch: uint }) },
  feedClose: { request: ofId, result: nothing },
  feedStatus: {
    request: record({ id: uint, view, epoch: uint }, { requiredKeys: ['id', 'view'] }),
    result: record({ id: uint, size: uint, owed: uint, mtime: time, created: time }),
  },
  feedPlaces: {
    request: ofId,
    result: record({
      epoch: uint,
      firstOffset: uint,
      nextOffset: uint,
      firstIndex: uint,
      nextIndex: uint,
      firstText: uint,
      nextText: uint,
    }),
  },
  feedText: {
    request: record({ id: uint, file: fc.constantFrom('info', 'filter', 'policy') }),
    result: words,
  },
  feedSetText: {
    request: record({ id: uint, file: fc.constantFrom('filter', 'policy'), text: words }),
    result: nothing,
  },
  feedNext: { request: record({ ...file, cursor: uint, room }), result: chunk },
  feedAt: { request: record({ ...file, offset: uint, room }), result: chunk },
  feedSeek: {
    request: record({ ...file, offset: uint, whence: fc.constantFrom('data', 'hole') }),
    result: uint,
  },
  feedReady: { request: record({ ...file, cursor: uint }), result: bool },
  feedPunch: { request: record({ ...file, offset: uint, length: uint }), result: nothing },
  feedWatch: { request: record({ waiting: bool }), result: nothing },
  changelogNext: {
    request: record({ ...changelog, room }),
    result: record({ index: uint, state, bytes }),
  },
  changelogReady: { request: record(changelog), result: record({ index: uint, state }) },
  changelogClear: {
    request: record({ id: uint, user: uint, index: uint }),
    result: nothing,
  },
  changelogUser: { request: record({ id: uint, user: uint, name }), result: nothing },
  watchOpen: { request: record({ who: watcher }), result: ofId },
  watchFilter: { request: record({ id: uint, by: watcher, text: words }), result: nothing },
  watchNext: { request: record({ id: uint, by: watcher, room }), result: brought },
  watchReady: { request: record({ id: uint, by: watcher }), result: bool },
  watchClose: { request: ofId, result: nothing },
  baselineOpen: { request: record({ feed: u32 }), result: ofId },
  baselineNext: { request: record({ id: uint, room }), result: brought },
  baselineKeep: { request: ofId, result: nothing },
  baselineClose: { request: ofId, result: nothing },
  fileLockTest: { request: record(lockWanted), result: record(lockWanted) },
  fileLock: { request: record({ ...lockWanted, wait: bool }), result: nothing },
  fileLockRelease: { request: record({ fid, owner, flock: bool }), result: nothing },
  dataRead: {
    request: record({ fid, offset: uint, length: fc.nat(2 ** 20) }),
    result: bytes,
  },
  dataWrite: {
    request: record({ ...author, fid, offset: uint, append: bool, bytes }),
    result: record({ count: fc.nat(2 ** 20) }),
  },
  dataSpace: {
    request: record({
      ...author,
      fid,
      offset: uint,
      length: uint,
      what: fc.constantFrom('punch', 'zero', 'allocate'),
      keepSize: bool,
    }),
    result: nothing,
  },
  dataSeek: {
    request: record({ fid, offset: uint, what: fc.constantFrom('data', 'hole') }),
    result: uint,
  },
  replicaState: {
    request: nothing,
    result: record({
      filesystem: hex32,
      source: maybe(
        record(
          { filesystem: hex32, feed: uint, baseline, place, applied: uint, time },
          { requiredKeys: ['filesystem', 'feed', 'baseline', 'place', 'applied'] },
        ),
      ),
      empty: bool,
    }),
  },
  replicaBegin: {
    request: record(
      { filesystem: hex32, feed: uint, baseline, place, time },
      { requiredKeys: ['filesystem', 'feed', 'baseline', 'place'] },
    ),
    result: nothing,
  },
  replicaPlace: {
    request: record({ place, time }, { requiredKeys: ['place'] }),
    result: nothing,
  },
  replicaPromote: { request: nothing, result: nothing },
  stats: { request: nothing, result: stats },
  recovery: { request: nothing, result: recoveryStatus },
};
