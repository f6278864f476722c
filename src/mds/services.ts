/** Every method of the metadata server, from the parts that answer it. */
import type { Clock } from '../base/time.js';
import type { Notice, Service } from '../rpc/messages.js';
import type { Store } from '../store/store.js';
import { AccessService } from './access-service.js';
import { FeedControl } from './feed-control.js';
import { FeedService } from './feed-service.js';
import type { DiskUse } from './filesystem-use.js';
import type { MutationQueue } from './mutation-queue.js';
import { objectMethods } from './object-methods.js';
import { placesMethods } from './places.js';
import { queryMethods } from './queries.js';
import { ReplicaService } from './replica-service.js';
import type { Applied, MetadataServer } from './server.js';
import { StatsService } from './stats-service.js';
import type { TransnoCounter } from './transno-counter.js';
import { unsharedMethods } from './unshared.js';

export function serviceOf(parts: {
  readonly server: MetadataServer;
  readonly store: Store;
  readonly clock: Clock;
  readonly queue: MutationQueue<Applied>;
  readonly transnos: TransnoCounter;
  /** Free and total space of the disk that holds the store. */
  readonly diskUse: () => DiskUse;
  readonly notify: (notice: Notice) => void;
  /** Clients outlive the server. */
  readonly shared: boolean;
}): Service {
  const { server, store, clock, queue, transnos, diskUse, notify, shared } = parts;
  const { feeds: registry, log, commit, audience, events, retention, namespace, replica } = server;
  const { room } = retention;
  const filesystem = store.identity.fsid;
  const policy = retention.setting;
  const control = new FeedControl({ registry, log, commit, audience, events, policy });
  const feeds = new FeedService({
    ...{ registry, log, commit, control, notify, clock, filesystem },
    isFull: (feed) => room.refuses(feed),
  });
  const accesses = new AccessService({
    ...{ log, commit, clock, audience, room, events },
    lastTransno: () => transnos.last,
  });
  return {
    ...queryMethods(namespace, store, diskUse),
    ...objectMethods({ namespace, commit, queue, room, replica, shared }),
    ...new ReplicaService({ replica, namespace, commit, filesystem, notify }).methods,
    ...feeds.methods,
    ...server.changelog.methods,
    ...server.baselines.methods,
    ...placesMethods(namespace),
    ...unsharedMethods({ last: () => transnos.last, committed: () => transnos.onDisk }),
    ...server.watches.methods,
    ...accesses.methods,
    ...new StatsService({ commit, log, feeds: registry, namespace, events, clock }).methods,
  };
}
