/** Operations on open files, as fuse-native calls them. */
import { Errno, FsError } from '../base/errno.js';
import { S_ISGID, S_ISUID } from '../base/mode.js';
import { DataAnswer, type Done, EmptyAnswer, OpenAnswer, WriteAnswer } from './answers.js';
import type { Callback, NativeOperations } from './binding.js';
import type { Bridge } from './bridge.js';
import type { Handle, Handles } from './handles.js';
import { finish, found } from './names.js';

/** Whether an object can be opened through this driver at all. */
export type MayOpen = (nodeId: number) => boolean;

const O_TRUNC = 0o1000;

/** A count, or a negative errno. */
function counted(done: Callback): Done<number> {
  return (errno, count) => done(count === undefined ? -(errno === 0 ? Errno.EIO : errno) : count);
}

export function fileOperations(
  bridge: Bridge,
  handles: Handles,
  mayOpen: MayOpen,
): NativeOperations {
  const opened = (fd: number, done: Callback, next: (handle: Handle) => void): void => {
    const handle = handles.get(fd);
    if (handle === undefined) done(-Errno.EBADF);
    else next(handle);
  };
  return {
    open: (path: string, flags: number, done: Callback) => {
      const next = (nodeId: number): void => {
        if (!mayOpen(nodeId)) return done(-Errno.EOPNOTSUPP);
        const reply = new OpenAnswer(
          found(done, ({ fh }) => done(0, handles.add({ fh, nodeId, flags }))),
        );
        // Truncation has come before, as a request of its own.
        bridge.ask('open', { nodeId, flags: flags & ~O_TRUNC, killSuidgid: false }, reply);
      };
      bridge.find(path, found(done, next));
    },
    read: (
      _path: string,
      fd: number,
      buffer: Buffer,
      size: number,
      offset: number,
      done: Callback,
    ) =>
      opened(fd, done, ({ fh, nodeId, flags }) => {
        const asked = { nodeId, fh, offset, size, flags, lockOwner: undefined };
        bridge.ask('read', asked, new DataAnswer(buffer, counted(done)));
      }),
    write: (
      _path: string,
      fd: number,
      data: Buffer,
      _size: number,
      offset: number,
      done: Callback,
    ) =>
      opened(fd, done, ({ fh, nodeId, flags }) => {
        // Without a page cache the kernel leaves it to the filesystem to clear set-id bits.
        withSetId(bridge, nodeId, (killSuidgid) => {
          const asked = { nodeId, fh, offset, flags, data, fromCache: false, killSuidgid };
          const reply = new WriteAnswer(counted(done));
          bridge.ask('write', { ...asked, lockOwner: undefined }, reply);
        });
      }),
    release: (_path: string, fd: number, done: Callback) => {
      const handle = handles.remove(fd);
      if (handle === undefined) return done(-Errno.EBADF);
      const asked = { ...handle, lockOwner: 0n, unlockFlock: false };
      bridge.ask('release', asked, new EmptyAnswer(finish(done)));
    },
    fsync: (_path: string, dataOnly: number, fd: number, done: Callback) =>
      opened(fd, done, ({ fh, nodeId }) => {
        const asked = { nodeId, fh, dataOnly: dataOnly !== 0 };
        bridge.ask('fsync', asked, new EmptyAnswer(finish(done)));
      }),
  };
}

/** Tells whether a write by the mount's user takes set-id bits from the file. */
function withSetId(bridge: Bridge, nodeId: number, next: (clears: boolean) => void): void {
  if (bridge.caller.uid === 0) return next(false);
  bridge.attributes(nodeId, (_errno, attr) => {
    next(attr !== undefined && (attr.mode & (S_ISUID | S_ISGID)) !== 0);
  });
}

/** Runs `use` with a directory that is open for its time, and closes it. */
export function withDirectory(
  bridge: Bridge,
  path: string,
  done: Callback,
  use: (directory: Handle, closed: (result: number, ...values: unknown[]) => void) => void,
): void {
  const flags = 0;
  bridge.find(
    path,
    found(done, (nodeId) => {
      const reply = new OpenAnswer(
        found(done, ({ fh }) => {
          const directory = { fh, nodeId, flags };
          use(directory, (result, ...values) => {
            const asked = { ...directory, lockOwner: 0n, unlockFlock: false };
            bridge.ask('releasedir', asked, new EmptyAnswer(() => done(result, ...values)));
          });
        }),
      );
      bridge.ask('opendir', { nodeId, flags, killSuidgid: false }, reply);
    }),
  );
}

/** The value of `make`, or undefined after its FsError became the answer. */
export function expressed<T>(done: Callback, make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    done(-error.errno);
    return undefined;
  }
}
