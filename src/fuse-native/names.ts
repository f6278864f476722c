/** Operations on names, as fuse-native calls them. */
import { Errno } from '../base/errno.js';
import { CreateAnswer, type Done, EmptyAnswer, EntryAnswer } from './answers.js';
import type { Callback, NativeOperations } from './binding.js';
import { type Bridge, carried, type Place } from './bridge.js';
import type { Handles } from './handles.js';
import { hiddenName, lastName } from './hiding.js';

const O_RDWR = 2;

/** The errno as libfuse wants it. */
export function finish(done: Callback): Done<unknown> {
  return (errno) => done(-errno);
}

/** Runs `next` with what was found, or answers the error. */
export function found<T>(done: Callback, next: (value: T) => void): Done<T> {
  return (errno, value) => {
    if (value === undefined) done(-(errno === 0 ? Errno.EIO : errno));
    else next(value);
  };
}

export function nameOperations(bridge: Bridge, handles: Handles): NativeOperations {
  const entered = (done: Callback) =>
    new EntryAnswer((errno, entry) => {
      if (entry !== undefined) bridge.forget(entry);
      done(-errno);
    });
  // The kernel has applied the umask to every mode that comes here.
  const umask = 0;
  return {
    mkdir: (path: string, mode: number, done: Callback) => {
      const next = ({ parent, name }: Place) =>
        bridge.ask('mkdir', { nodeId: parent, name, mode, umask }, entered(done));
      bridge.place(path, found(done, next));
    },
    mknod: (path: string, mode: number, rdev: number, done: Callback) => {
      const next = ({ parent, name }: Place) =>
        bridge.ask('mknod', { nodeId: parent, name, mode, rdev, umask }, entered(done));
      bridge.place(path, found(done, next));
    },
    symlink: (text: string, path: string, done: Callback) => {
      const target = carried(text);
      if (target === undefined) return done(-Errno.EILSEQ);
      const next = ({ parent, name }: Place) =>
        bridge.ask('symlink', { nodeId: parent, name, target }, entered(done));
      bridge.place(path, found(done, next));
    },
    link: (from: string, to: string, done: Callback) => {
      const next = (oldNodeId: number) =>
        bridge.place(
          to,
          found(done, ({ parent, name }) =>
            bridge.ask('link', { nodeId: parent, oldNodeId, name }, entered(done)),
          ),
        );
      bridge.find(from, found(done, next));
    },
    unlink: (path: string, done: Callback) => {
      const name = lastName(path);
      const nodeId = bridge.hidden.get(name);
      if (nodeId !== undefined) {
        bridge.hidden.delete(name);
        bridge.forget({ nodeId });
        return done(0);
      }
      bridge.place(
        path,
        found(done, (place) => remove(bridge, 'unlink', place, done)),
      );
    },
    rmdir: (path: string, done: Callback) => {
      bridge.place(
        path,
        found(done, (place) => remove(bridge, 'rmdir', place, done)),
      );
    },
    rename: (from: string, to: string, done: Callback) => rename(bridge, handles, from, to, done),
    create: (path: string, mode: number, done: Callback) =>
      create(bridge, handles, path, mode, done),
  };
}

/** No path leads any more to what lost its last name: so it is forgotten, like after each lookup. */
function remove(bridge: Bridge, kind: 'unlink' | 'rmdir', place: Place, done: Callback): void {
  bridge.lookup(place, (_errno, entry) => {
    const reply = new EmptyAnswer((errno) => {
      if (errno === 0 && entry !== undefined) bridge.forget(entry);
      done(-errno);
    });
    bridge.ask(kind, { nodeId: place.parent, name: place.name }, reply);
  });
}

function rename(bridge: Bridge, handles: Handles, from: string, to: string, done: Callback): void {
  const hidden = hiddenName(from, to);
  const move = (): void => {
    bridge.place(
      from,
      found(done, ({ parent, name }) => {
        bridge.place(
          to,
          found(done, (target) => {
            const asked = { nodeId: parent, name, newParent: target.parent, flags: 0 };
            bridge.lookup(target, (_errno, replaced) => {
              const reply = new EmptyAnswer((errno) => {
                if (errno === 0 && replaced !== undefined) bridge.forget(replaced);
                done(-errno);
              });
              bridge.ask('rename', { ...asked, newName: target.name }, reply);
            });
          }),
        );
      }),
    );
  };
  if (hidden === undefined) return move();
  bridge.place(
    from,
    found(done, (place) => {
      bridge.lookup(
        place,
        found(done, ({ nodeId }) => {
          if (!handles.isOpen(nodeId)) return move();
          const reply = new EmptyAnswer((errno) => {
            if (errno === 0) bridge.hidden.set(hidden, nodeId);
            done(-errno);
          });
          bridge.ask('unlink', { nodeId: place.parent, name: place.name }, reply);
        }),
      );
    }),
  );
}

/** fuse-native does not pass the flags of a create: the kernel alone knows how it is open. */
function create(
  bridge: Bridge,
  handles: Handles,
  path: string,
  mode: number,
  done: Callback,
): void {
  const flags = O_RDWR;
  bridge.place(
    path,
    found(done, ({ parent, name }) => {
      const reply = new CreateAnswer(
        found(done, ({ entry, open }) => {
          bridge.forget(entry);
          done(0, handles.add({ fh: open.fh, nodeId: entry.nodeId, flags }));
        }),
      );
      const asked = { nodeId: parent, name, flags, mode, umask: 0, killSuidgid: false };
      bridge.ask('create', asked, reply);
    }),
  );
}
