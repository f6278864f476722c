/** From a client to a mount that the kernel knows, by either driver. */
import type { Clock } from '../../base/time.js';
import type { Client } from '../../client/client.js';
import { fidOf } from '../../client/context.js';
import { nodeOfFid } from '../../client/control/nodes.js';
import type { CoherentNotifier, Handlers } from '../../fuse/api.js';
import { mountFuse } from '../../fuse/mount.js';
import { isRoot } from '../../fuse/mount-helper.js';
import { Session } from '../../fuse/session.js';
import type { Heartbeat } from '../heartbeat.js';
import type { MountStats } from '../mount-stats.js';
import type { MountSettings } from './options.js';

/** The kernel enforces ACLs; what a new object has of its umask and of them is the server's affair. */
const CAPABILITIES = ['POSIX_ACL', 'DONT_MASK'] as const;

/** Beside other mounts who writes does so past the kernel's pages, and may map the file all the same. */
const SHARED_CAPABILITIES = [...CAPABILITIES, 'DIRECT_IO_ALLOW_MMAP'] as const;

export interface SessionParts {
  readonly settings: MountSettings;
  /** What mount(8) shows as the source: the store, or the server's address. */
  readonly source: string;
  readonly client: Client;
  readonly heartbeat: Heartbeat;
  readonly clock: Clock;
  readonly counted: MountStats;
}

export interface StartedSession {
  readonly ended: Promise<unknown>;
  readonly notifier: CoherentNotifier;
  /** Has the loop look at the device and the hooks soon. */
  kick(): void;
}

/** Mounts it; the mount answers when this resolves. Throws MountError. */
export function startSession(parts: SessionParts): Promise<StartedSession> {
  return parts.settings.driver === 'fuse-native' ? startFuseNative(parts) : startOwn(parts);
}

async function startOwn(parts: SessionParts): Promise<StartedSession> {
  const { settings, source, client, heartbeat, counted } = parts;
  const device = await mountFuse({
    mountpoint: settings.mountpoint,
    fsname: source,
    subtype: 'feedfs',
    readOnly: settings.readOnly,
    extra: settings.kernelOptions,
    ...(settings.allowOther === undefined ? {} : { allowOther: settings.allowOther }),
  });
  const session = new Session(device, client.handlers, {
    hooks: heartbeat,
    stats: counted.requests,
    extraCapabilities: client.shared ? SHARED_CAPABILITIES : CAPABILITIES,
    ...(settings.busyPollUs === undefined ? {} : { busyPollUs: settings.busyPollUs }),
    onFault: (operation, error) => console.error(`feedfs: ${operation} failed:`, error),
  });
  client.attach(session.notifier);
  counted.sent = session.sent;
  session.start();
  // A connection may end before it begins.
  const ended = await Promise.race([session.connected.then(() => undefined), session.ended]);
  if (ended !== undefined) throw new Error(`the mount ended at once: ${ended}`);
  return { ended: session.ended, notifier: session.notifier, kick: () => session.kick() };
}

/** That mount lets the kernel cache nothing, and opens no feed that could be polled. */
const NOTHING_CACHED: CoherentNotifier = {
  pollWakeup: () => {},
  invalidateInode: () => {},
  invalidateEntry: () => {},
  deleteEntry: () => {},
  incrementEpoch: () => true,
  fence: (done) => setImmediate(done),
};

/** The other driver: it is loaded here, and nowhere else. */
async function startFuseNative(parts: SessionParts): Promise<StartedSession> {
  const { settings, source, client, heartbeat, clock } = parts;
  const { loadFuseNative } = await import('../../fuse-native/binding.js');
  const { mountFuseNative } = await import('../../fuse-native/driver.js');
  const handlers: Handlers = client.handlers;
  const mount = await mountFuseNative(loadFuseNative(), {
    mountpoint: settings.mountpoint,
    fsname: source,
    subtype: 'feedfs',
    readOnly: settings.readOnly,
    kernelOptions: settings.kernelOptions,
    root: isRoot(),
    handlers,
    clock,
    hooks: heartbeat,
    // A feed without poll, SEEK_DATA and interrupts would be a trap; nor is it told who opens a watch.
    mayOpen: (nodeId) =>
      !['stream', 'changelog', 'watch'].includes(nodeOfFid(fidOf(nodeId))?.kind ?? ''),
    onFault: (operation, error) => console.error(`feedfs: ${operation} failed:`, error),
  });
  client.attach(NOTHING_CACHED);
  const ended = mount.ended.then(() => 'unmounted');
  return { ended, notifier: NOTHING_CACHED, kick: () => {} };
}
