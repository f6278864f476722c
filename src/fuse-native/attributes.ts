/** Operations on attributes, listings and the whole, as fuse-native calls them. */
import { Errno } from '../base/errno.js';
import { nameToText } from '../base/name.js';
import type { SetattrRequest } from '../fuse/api.js';
import {
  AttrAnswer,
  DataAnswer,
  DirectoryAnswer,
  EmptyAnswer,
  type ListedName,
  StatfsAnswer,
} from './answers.js';
import type { Callback, NativeOperations } from './binding.js';
import type { Bridge } from './bridge.js';
import { expressed, withDirectory } from './files.js';
import type { Handle } from './handles.js';
import { lastName } from './hiding.js';
import { LISTING_BYTES, LISTING_ENTRIES, SYMLINK_BYTES_MAX } from './limits.js';
import { finish, found } from './names.js';
import { nativeIno, nativeStat, nativeStatfs } from './stat.js';
import type { Times } from './utimens.js';

/** What setattr changes when nothing is asked. */
const UNCHANGED = {
  fh: undefined,
  mode: undefined,
  uid: undefined,
  gid: undefined,
  size: undefined,
  atime: undefined,
  mtime: undefined,
  ctime: undefined,
  killSuidgid: false,
  lockOwner: undefined,
} as const;
/** uid_t and gid_t -1: leave it. */
const NO_ID = 0xffff_ffff;

type Change = Partial<Pick<SetattrRequest, 'mode' | 'uid' | 'gid' | 'size' | 'atime' | 'mtime'>>;

/** `times` gives both times of the utimens that is being called. */
export function attributeOperations(
  bridge: Bridge,
  times: () => Times | undefined,
): NativeOperations {
  const change = (path: string, asked: Change, done: Callback): void => {
    const next = (nodeId: number): void =>
      bridge.ask('setattr', { ...UNCHANGED, ...asked, nodeId }, new AttrAnswer(finish(done)));
    bridge.find(path, found(done, next));
  };
  return {
    getattr: (path: string, done: Callback) => {
      const next = (nodeId: number): void =>
        bridge.attributes(
          nodeId,
          found(done, (attr) => {
            // Of what it has hidden libfuse takes one link off again: the hidden name itself.
            const nlink = attr.nlink + (bridge.hidden.has(lastName(path)) ? 1 : 0);
            const stat = expressed(done, () => nativeStat({ ...attr, nlink }));
            if (stat !== undefined) done(0, stat);
          }),
        );
      bridge.find(path, found(done, next));
    },
    chmod: (path: string, mode: number, done: Callback) => change(path, { mode }, done),
    chown: (path: string, uid: number, gid: number, done: Callback) => {
      const asked = {
        uid: uid === NO_ID ? undefined : uid,
        gid: gid === NO_ID ? undefined : gid,
      };
      change(path, asked, done);
    },
    truncate: (path: string, size: number, done: Callback) => change(path, { size }, done),
    ftruncate: (path: string, _fd: number, size: number, done: Callback) =>
      change(path, { size }, done),
    utimens: (path: string, _atime: number, _mtime: number, done: Callback) => {
      const asked = times();
      if (asked === undefined) return done(-Errno.EOPNOTSUPP);
      // What getattr could not show afterwards is not set either.
      if (asked.atime.sec < 0 || asked.mtime.sec < 0) return done(-Errno.EOVERFLOW);
      change(path, asked, done);
    },
    readlink: (path: string, done: Callback) => readlink(bridge, path, done),
    readdir: (path: string, done: Callback) =>
      withDirectory(bridge, path, done, (directory, closed) => {
        list(bridge, directory, [], 0, closed);
      }),
    fsyncdir: (path: string, dataOnly: number, _fd: number, done: Callback) =>
      withDirectory(bridge, path, done, ({ fh, nodeId }, closed) => {
        const asked = { nodeId, fh, dataOnly: dataOnly !== 0 };
        bridge.ask('fsyncdir', asked, new EmptyAnswer(finish(closed)));
      }),
    statfs: (path: string, done: Callback) => {
      const reply = new StatfsAnswer(found(done, (use) => done(0, nativeStatfs(use))));
      bridge.find(
        path,
        found(done, (nodeId) => bridge.ask('statfs', { nodeId }, reply)),
      );
    },
  };
}

function readlink(bridge: Bridge, path: string, done: Callback): void {
  const target = Buffer.alloc(SYMLINK_BYTES_MAX);
  const next = (nodeId: number): void => {
    const reply = new DataAnswer(
      target,
      found(done, (length) => {
        const text = nameToText(target.toString('latin1', 0, length));
        if (text === undefined) done(-Errno.EILSEQ);
        else done(0, text);
      }),
    );
    bridge.ask('readlink', { nodeId }, reply);
  };
  bridge.find(path, found(done, next));
}

/** libfuse wants a listing whole. */
function list(
  bridge: Bridge,
  directory: Handle,
  entries: ListedName[],
  offset: number,
  done: Callback,
): void {
  const { nodeId, fh } = directory;
  const reply = new DirectoryAnswer(
    LISTING_ENTRIES,
    found(done, (part) => {
      entries.push(...part.entries);
      if (part.entries.length > 0) return list(bridge, directory, entries, part.offset, done);
      const named = expressed(done, () => entries.map(describe));
      if (named === undefined) return;
      const names = named.map(({ name }) => name);
      // One name that cannot be shown must not be missed silently.
      if (names.includes(undefined)) return done(-Errno.EILSEQ);
      const stats = named.map(({ stat }) => stat);
      done(0, names, stats);
    }),
  );
  bridge.ask('readdir', { nodeId, fh, offset, size: LISTING_BYTES }, reply);
}

/** Of an entry's attributes libfuse 2 passes on type and inode number alone. */
function describe({ ino, type, name }: ListedName): {
  readonly name: string | undefined;
  readonly stat: { readonly mode: number; readonly ino: number };
} {
  return { name: nameToText(name), stat: { mode: type * 0o10000, ino: nativeIno(ino) } };
}
