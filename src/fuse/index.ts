/**
 * The kernel's FUSE protocol in TypeScript, on /dev/fuse, without libfuse.
 *
 *     const device = await mountFuse({ mountpoint, fsname: 'example', subtype: 'example' });
 *     const session = new Session(device, handlers);
 *     session.start();
 *     const end = await session.ended; // 'unmounted' when someone ran umount
 *
 * Concepts
 *
 * - A *nodeid* names an object for the kernel. Each LOOKUP, CREATE, MKDIR…
 *   answer and each READDIRPLUS entry counts one reference to it; FORGET takes references
 *   back. 1 is the root.
 * - A *handler* gets a typed request and a reply that must be answered exactly
 *   once, at once or later (a blocking read is a reply kept until there is data).
 *   Handlers run one after the other, on this thread, outside of any promise.
 * - The *loop* busy-polls the device for a short while after each request and
 *   sleeps in poll(2) when it is idle. Under load no timer, promise or I/O callback runs for up
 *   to `sliceUs`; `hooks.tick` tells the loop when some are outstanding. The sleep
 *   takes one thread of libuv's pool of four (UV_THREADPOOL_SIZE).
 *
 * What the kernel caches, and how it is told otherwise
 *
 * - Names and attributes, for the validity times of each Entry and AttrReply.
 *   A change of a directory through the mount drops the directory's attributes.
 *   Changes that come another way need `notifier.invalidateEntry` and `invalidateInode`.
 * - File contents, in the page cache, unless the open says FOPEN_DIRECT_IO;
 *   dropped at each open unless it says FOPEN_KEEP_CACHE.
 * - ENOSYS, for the life of the connection: an operation without a handler is asked once.
 *
 * Deadlocks: what the serving process must never do
 *
 * 1. Use its own mount synchronously: a stat, open or readdir of a path on it
 *    blocks the one thread that could answer. Resolving a path *through* it counts,
 *    and so do a `cwd` there and spawnSync of a program that looks at it.
 * 2. Use its own mount asynchronously on libuv's pool without bound: four
 *    calls that wait for answers occupy the pool, and handlers that need it starve.
 * 3. Close a file that lives on the mount, or exit with one open: FLUSH and
 *    RELEASE are requests like any other.
 * 4. Map a file of the mount and touch the pages: a page fault is a READ.
 * 5. Invalidate from the path of a related request: the kernel holds the
 *    directory's lock during LOOKUP or CREATE, and a page's during READ, and the
 *    invalidation waits for it. So notifications are queued, and those that can block are written
 *    by another thread, one at a time. A handler must not wait for one to be done.
 * 6. Wait in a handler for another request of the mount: it is not read before
 *    the handler returns. Park the reply instead.
 * 7. Leave a request unanswered: its caller sleeps uninterruptibly, unless the
 *    reply has an `onInterrupt`. The session answers what is left when it ends.
 * 8. Pass the device's descriptor to a child: the connection then outlives this process.
 */
export type * from './api.js';
export { type Device, FuseDevice } from './device.js';
export { type MountOptions, mountFuse } from './mount.js';
export {
  MountError,
  type MountErrorCode,
  UnmountError,
  type UnmountErrorCode,
} from './mount-error.js';
export {
  type Connection,
  DEFAULT_CAPABILITIES,
  type NegotiationOptions,
  REFUSED_CAPABILITIES,
} from './negotiate.js';
export { Session, type SessionEnd, type SessionOptions } from './session.js';
export { type UnmountOptions, unmount } from './unmount.js';
export {
  type CapabilityName,
  FOPEN_CACHE_DIR,
  FOPEN_DIRECT_IO,
  FOPEN_KEEP_CACHE,
  FOPEN_NOFLUSH,
  FOPEN_NONSEEKABLE,
  FOPEN_PARALLEL_DIRECT_WRITES,
  FOPEN_STREAM,
  FUSE_ROOT_ID,
} from './wire/abi.js';
