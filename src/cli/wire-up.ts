/** The only place that builds the whole: store, server, client, session, mount. */
import { join } from 'node:path';
import createDebug from 'debug';
import { errnoName, FsError } from '../base/errno.js';
import { type Clock, SystemClock } from '../base/time.js';
import type { AccessPolicy } from '../client/access-times.js';
import { Client } from '../client/client.js';
import { fidOf } from '../client/context.js';
import { nodeOfFid } from '../client/control/nodes.js';
import type { Notifier } from '../fuse/api.js';
import { mountFuse } from '../fuse/mount.js';
import { isRoot } from '../fuse/mount-helper.js';
import { Session } from '../fuse/session.js';
import { unmount } from '../fuse/unmount.js';
import { MetadataServer, type ServerOptions } from '../mds/server.js';
import { ObjectStore } from '../objects/object-store.js';
import { LocalConnection } from '../rpc/local.js';
import { isPageDamage, StoreError } from '../store/errors.js';
import { ResidentLimit } from '../store/resident.js';
import { Store } from '../store/store.js';
import { CliError } from './cli-error.js';
import { ExitCode } from './exit-codes.js';
import { Heartbeat } from './heartbeat.js';
import type { MetricsAddress } from './metrics-address.js';
import { type MetricsServer, serveMetrics } from './metrics-server.js';
import type { Driver } from './mount-options.js';
import { MountStats } from './mount-stats.js';

const debug = createDebug('feedfs:cli');

/** The kernel enforces ACLs; what a new object has of its umask and of them is the server's affair. */
const CAPABILITIES = ['POSIX_ACL', 'DONT_MASK'] as const;

export interface ServeOptions {
  readonly store: string;
  readonly mountpoint: string;
  /** Undefined: 50 where there is more than one core. */
  readonly busyPollUs: number | undefined;
  readonly visibility: 'disk' | 'commit';
  readonly readOnly: boolean;
  readonly allowOther: boolean | undefined;
  readonly kernelOptions: readonly string[];
  readonly driver: Driver;
  readonly accessTimes: AccessPolicy;
  readonly userWatch: boolean;
  readonly metrics: MetricsAddress | undefined;
  /** Told how many objects of a store of an older format are upgraded, for each. */
  readonly onUpgrade: (done: number) => void;
}

export interface Served {
  /** The mount is gone and the store is closed. */
  readonly ended: Promise<void>;
  unmount(): Promise<void>;
}

/** Opens the store, mounts it and serves it. Throws StoreError or MountError. */
export async function serve(options: ServeOptions): Promise<Served> {
  const store = Store.open(options.store, { create: true, onUpgrade: options.onUpgrade });
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const clock = new SystemClock();
  const objects = new ObjectStore(options.store);
  const resident = new ResidentLimit(join(store.path, 'meta', 'data.mdb'));
  let connection: LocalConnection | undefined;
  let metrics: MetricsServer | undefined;
  try {
    const server = openServer({
      store,
      clock,
      visibility: options.visibility,
      owner,
      userWatch: options.userWatch,
      reaper: {
        remove: (fid, generation) => objects.remove({ fid, generation }),
        truncate: (fid, generation, size) => objects.truncate({ fid, generation }, size),
        flushed: () => objects.flushed(),
      },
      dataSync: (done) => objects.sync(done),
      unsettled: objects.unsettled(),
      diskUse: () => objects.statfs(),
      // What recovery makes visible, nobody waits for yet.
      notify: (notice) => connection?.notify(notice),
    });
    connection = new LocalConnection(server.service);
    const { recording, audience } = server;
    const { accessTimes } = options;
    const counted = new MountStats();
    const client = new Client({
      mds: connection,
      objects,
      clock,
      owner,
      userWatch: options.userWatch,
      recording,
      accesses: audience.accesses,
      replica: server.replica.active,
      accessTimes,
      stats: () => counted.snapshot(),
    });
    if (options.metrics !== undefined) {
      metrics = await serveMetrics(options.metrics, (done) => client.stats(done));
    }
    const heartbeat = new Heartbeat(server, client, resident);
    // What opening the store changed is on disk before anybody uses it.
    await settle(server, options.store);
    const start = options.driver === 'fuse-native' ? startFuseNative : startSession;
    const session = await start(options, client, heartbeat, clock, counted);
    const ended = session.ended.then(async (reason) => {
      debug('session ended: %o', reason);
      heartbeat.stop();
      metrics?.close();
      client.settle();
      await settle(server, options.store);
      objects.close();
      resident.close();
      await store.close();
      if (reason instanceof Error) throw reason;
    });
    return { ended, unmount: () => unmount(options.mountpoint) };
  } catch (error) {
    metrics?.close();
    objects.close();
    resident.close();
    await store.close();
    throw error;
  }
}

/** CliError where the disk does not take the last changes: that is no bug, and the store has all before them. */
async function settle(server: MetadataServer, store: string): Promise<void> {
  try {
    await server.settle();
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    const message = `${store}: the last changes could not be saved (${errnoName(error.errno)})`;
    throw new CliError(ExitCode.FAILURE, message, { cause: error });
  }
}

/** What cannot be read of the store's own state is damage of the store, not of the program. */
function openServer(options: ServerOptions): MetadataServer {
  try {
    return new MetadataServer(options);
  } catch (error) {
    // The last two: a value that is whole, and shorter than what it should hold.
    const damage = [FsError, SyntaxError, RangeError, TypeError];
    if (!isPageDamage(error) && !damage.some((kind) => error instanceof kind)) throw error;
    const { path } = options.store;
    const message = `${path} is damaged: ${(error as Error).message}; run feedfs fsck ${path}`;
    throw new StoreError('corrupt', message, { cause: error });
  }
}

async function startSession(
  options: ServeOptions,
  client: Client,
  heartbeat: Heartbeat,
  _clock: Clock,
  counted: MountStats,
): Promise<Pick<Session, 'ended'>> {
  const device = await mountFuse({
    mountpoint: options.mountpoint,
    fsname: options.store,
    subtype: 'feedfs',
    readOnly: options.readOnly,
    extra: options.kernelOptions,
    ...(options.allowOther === undefined ? {} : { allowOther: options.allowOther }),
  });
  const session = new Session(device, client.handlers, {
    hooks: heartbeat,
    stats: counted.requests,
    extraCapabilities: CAPABILITIES,
    ...(options.busyPollUs === undefined ? {} : { busyPollUs: options.busyPollUs }),
    onFault: (operation, error) => console.error(`feedfs: ${operation} failed:`, error),
  });
  client.attach(session.notifier);
  counted.sent = session.sent;
  session.start();
  // A connection may end before it begins.
  const ended = await Promise.race([session.connected.then(() => undefined), session.ended]);
  if (ended !== undefined) throw new Error(`the mount ended at once: ${ended}`);
  heartbeat.start(() => session.kick());
  return session;
}

/** That mount lets the kernel cache nothing, and opens no feed that could be polled. */
const NOTHING_CACHED: Notifier = {
  pollWakeup: () => {},
  invalidateInode: () => {},
  invalidateEntry: () => {},
  deleteEntry: () => {},
};

/** The other driver: it is loaded here, and nowhere else. */
async function startFuseNative(
  options: ServeOptions,
  client: Client,
  heartbeat: Heartbeat,
  clock: Clock,
): Promise<Pick<Session, 'ended'>> {
  const { loadFuseNative } = await import('../fuse-native/binding.js');
  const { mountFuseNative } = await import('../fuse-native/driver.js');
  const mount = await mountFuseNative(loadFuseNative(), {
    mountpoint: options.mountpoint,
    fsname: options.store,
    subtype: 'feedfs',
    readOnly: options.readOnly,
    kernelOptions: options.kernelOptions,
    root: isRoot(),
    handlers: client.handlers,
    clock,
    hooks: heartbeat,
    // A feed without poll, SEEK_DATA and interrupts would be a trap; nor is it told who opens a watch.
    mayOpen: (nodeId) =>
      !['stream', 'changelog', 'watch'].includes(nodeOfFid(fidOf(nodeId))?.kind ?? ''),
    onFault: (operation, error) => console.error(`feedfs: ${operation} failed:`, error),
  });
  client.attach(NOTHING_CACHED);
  heartbeat.start(() => {});
  return { ended: mount.ended.then(() => 'unmounted') };
}
