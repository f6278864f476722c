/** A mount with its server in the same process: the default. */
import { join } from 'node:path';
import createDebug from 'debug';
import { SystemClock } from '../../base/time.js';
import { Client } from '../../client/client.js';
import { unmount } from '../../fuse/unmount.js';
import type { ServerOptions } from '../../mds/server.js';
import { ObjectStore } from '../../objects/object-store.js';
import { LocalConnection } from '../../rpc/local.js';
import { StoreError } from '../../store/errors.js';
import { ResidentLimit } from '../../store/resident.js';
import { Store } from '../../store/store.js';
import { CliError } from '../cli-error.js';
import { ExitCode } from '../exit-codes.js';
import { Heartbeat } from '../heartbeat.js';
import { type MetricsServer, serveMetrics } from '../metrics-server.js';
import { MountStats } from '../mount-stats.js';
import { openServer, settle } from './opening.js';
import type { EmbeddedOptions, Served, StoreSettings } from './options.js';
import { clientPart, serverPart } from './parts.js';
import { readPlace } from './place.js';
import { startSession } from './session.js';
import { explainLocked } from './store-state.js';

const debug = createDebug('feedfs:cli');

/** Opens the store, mounts it and serves it. Throws StoreError, MountError or CliError. */
export async function serve(options: EmbeddedOptions): Promise<Served> {
  const store = openStore(options);
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const clock = new SystemClock();
  const objects = new ObjectStore(options.store);
  // Clients of a server that had the store before: there are none any more.
  objects.absorb(() => true);
  const resident = new ResidentLimit(join(store.path, 'meta', 'data.mdb'));
  let connection: LocalConnection | undefined;
  let metrics: MetricsServer | undefined;
  try {
    const server = openServer({
      ...serverParts(options, objects),
      ...{ store, clock, owner },
      // What recovery makes visible, nobody waits for yet.
      notify: (notice) => connection?.notify(notice),
    });
    connection = new LocalConnection(server.service);
    const { recording, audience } = server;
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
      accessTimes: options.accessTimes,
      stats: () => counted.snapshot(),
    });
    if (options.metrics !== undefined) {
      metrics = await serveMetrics(options.metrics, (done) => client.stats(done));
    }
    const heartbeat = new Heartbeat([clientPart(client), serverPart(server, resident)]);
    // What opening the store changed is on disk before anybody uses it.
    await settle(server, options.store);
    const parts = { settings: options, source: options.store, client, heartbeat, clock, counted };
    const session = await startSession(parts);
    // The loop may rest again once nothing is in flight.
    server.commit.onSettled(() => {
      heartbeat.beat();
      session.kick();
    });
    heartbeat.beat();
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

type ServerParts = Omit<ServerOptions, 'store' | 'clock' | 'owner' | 'notify'>;

function serverParts(options: StoreSettings, objects: ObjectStore): ServerParts {
  return {
    visibility: options.visibility,
    userWatch: options.userWatch,
    reaper: {
      remove: (fid, generation) => objects.remove({ fid, generation }),
      truncate: (fid, generation, size) => objects.truncate({ fid, generation }, size),
      flushed: () => objects.flushed(),
    },
    dataSync: (done) => objects.sync(done),
    unsettled: objects.unsettled(),
    diskUse: () => objects.statfs(),
  };
}

/** Where a server of several mounts has the store, the message says how to use that one. */
function openStore({ store, onUpgrade }: StoreSettings): Store {
  try {
    return Store.open(store, { create: true, onUpgrade });
  } catch (error) {
    const served = readPlace(store)?.addresses[0];
    if (!(error instanceof StoreError) || error.code !== 'locked' || served === undefined) {
      throw explainLocked(store, error);
    }
    const message = `${store} is served by feedfs mds: feedfs mount --mds ${served} MNT`;
    throw new CliError(ExitCode.STORE_LOCKED, message, { cause: error });
  }
}
