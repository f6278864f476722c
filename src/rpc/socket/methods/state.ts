/** Copies of other filesystems, counters, and how far a recovery is. */
import type { HistogramSnapshot } from '../../../base/histogram.js';
import type { LogPlace } from '../../baseline.js';
import type { FeedStats, RecoveryStatus, ReplicaState, ServerStats } from '../../messages.js';
import type { RemoteRequest } from '../../remote.js';
import type { ServerBoot } from '../../session.js';
import { type Codec, list, maybe, nothing, oneOf, optional, struct } from '../codec.js';
import { FEED_ROWS_MAX, HISTOGRAM_ROWS_MAX, ROWS_MAX } from '../limits.js';
import { time } from '../objects.js';
import { bool, float, floatOrNull, identity, uint, words } from '../scalars.js';
import type { MethodCodecs } from './method-codec.js';

const place = struct<LogPlace>({ epoch: uint, offset: uint, index: uint });
const baseline = oneOf<'running' | 'complete'>('running', 'complete');

const replicaState = struct<ReplicaState>({
  filesystem: words,
  source: maybe(
    struct<ReplicaState['source'] & {}>({
      filesystem: words,
      feed: uint,
      baseline,
      place,
      applied: uint,
      time: optional(time),
    }),
  ),
  empty: bool,
});

const below: Codec<readonly [number, number]> = {
  write(out, [bound, count]) {
    out.array(2);
    out.float(bound);
    out.float(count);
  },
  read(from) {
    from.fields(2);
    return [from.float(), from.float()];
  },
};

const histogram = struct<HistogramSnapshot>({
  count: float,
  sum: float,
  max: float,
  below: list(below, HISTOGRAM_ROWS_MAX),
});

const feedStats = struct<FeedStats>({
  id: uint,
  name: words,
  state: oneOf('active', 'expired'),
  owedBytes: float,
  owedRecords: float,
  oldestSeconds: floatOrNull,
});

const eventCount: Codec<readonly [string, number]> = {
  write(out, [name, count]) {
    out.array(2);
    words.write(out, name);
    out.float(count);
  },
  read(from) {
    from.fields(2);
    return [words.read(from), from.float()];
  },
};
const eventCounts = list(eventCount, ROWS_MAX);

/** Counts by name; no name can be taken for anything that objects have by themselves. */
const events: Codec<ServerStats['events']> = {
  write: (out, value) => eventCounts.write(out, Object.entries(value)),
  read: (from) => Object.fromEntries(eventCounts.read(from)),
};

const stats = struct<ServerStats>({
  commits: struct<ServerStats['commits']>({
    commits: float,
    changes: float,
    flushes: float,
    failures: float,
    uncommitted: float,
    us: histogram,
    flushUs: histogram,
    batch: histogram,
  }),
  log: struct<ServerStats['log']>({ nextIndex: uint, nextOffset: uint }),
  purge: struct<ServerStats['purge']>({ freedBlocks: float, pending: bool }),
  objects: struct<ServerStats['objects']>({ inodes: float, orphans: float }),
  feeds: list(feedStats, FEED_ROWS_MAX),
  events,
});

type ClientStatus = RecoveryStatus['clients'][number];

export const recoveryStatus = struct<RecoveryStatus>({
  state: oneOf('inactive', 'waiting', 'opens', 'replays', 'locks', 'complete'),
  boot: maybe(identity<ServerBoot>()),
  started: maybe(time),
  durationSec: float,
  leftSec: maybe(float),
  windowSec: float,
  clients: list(
    struct<ClientStatus>({
      client: identity<ClientStatus['client']>(),
      name: words,
      state: oneOf(
        'missing',
        'opens',
        'replays',
        'locks',
        'done',
        'connected',
        'disconnected',
        'evicted',
      ),
      reason: maybe(words),
    }),
    ROWS_MAX,
  ),
  reopened: uint,
  replayed: uint,
  refused: uint,
  committed: uint,
  last: uint,
});

export const stateMethods: MethodCodecs<
  'replicaState' | 'replicaBegin' | 'replicaPlace' | 'replicaPromote' | 'stats' | 'recovery'
> = {
  replicaState: { number: 96, request: nothing, result: replicaState },
  replicaBegin: {
    number: 97,
    request: struct<RemoteRequest<'replicaBegin'>>({
      filesystem: words,
      feed: uint,
      baseline,
      place,
      time: optional(time),
    }),
    result: nothing,
  },
  replicaPlace: {
    number: 98,
    request: struct<RemoteRequest<'replicaPlace'>>({ place, time: optional(time) }),
    result: nothing,
  },
  replicaPromote: { number: 99, request: nothing, result: nothing },
  stats: { number: 104, request: nothing, result: stats },
  recovery: { number: 105, request: nothing, result: recoveryStatus },
};
