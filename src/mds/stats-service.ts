/** What the server counts about itself. */
import type { EventCounts } from '../base/event-counts.js';
import { type Clock, secondsBetween } from '../base/time.js';
import type { Feed } from '../feed/feed.js';
import type { Log } from '../feed/log.js';
import type { FeedRegistry } from '../feed/registry.js';
import type { FeedStats, ServerStats, Service } from '../rpc/messages.js';
import type { GroupCommit } from '../store/group-commit.js';
import type { Namespace } from './namespace.js';
import type { ServerEvent } from './server-events.js';

export interface StatsParts {
  readonly commit: GroupCommit;
  readonly log: Log;
  readonly feeds: FeedRegistry;
  readonly namespace: Namespace;
  readonly events: EventCounts<ServerEvent>;
  readonly clock: Clock;
}

export class StatsService {
  readonly methods: Pick<Service, 'stats'>;

  constructor(parts: StatsParts) {
    this.methods = { stats: (_request, answer) => answer(0, serverStats(parts)) };
  }
}

function serverStats(parts: StatsParts): ServerStats {
  const { commit, log, feeds, namespace, events } = parts;
  const { counters } = commit;
  const end = log.visibleEnd;
  return {
    commits: {
      commits: counters.commits,
      changes: counters.changes,
      flushes: counters.flushes,
      failures: counters.failures,
      uncommitted: commit.uncommitted,
      us: counters.us.snapshot(),
      flushUs: counters.flushUs.snapshot(),
      batch: counters.batch.snapshot(),
    },
    log: { nextIndex: end.index, nextOffset: end.offset },
    purge: { freedBlocks: feeds.purge.freed, pending: feeds.purge.pending },
    objects: { inodes: namespace.inodeCount, orphans: namespace.orphans.size },
    feeds: feeds.list().map((feed) => feedStats(feed, parts)),
    events: events.snapshot(),
  };
}

function feedStats(feed: Feed, { feeds, clock }: StatsParts): FeedStats {
  const { bytes, records, oldest } = feeds.owed(feed);
  return {
    id: feed.id,
    name: Buffer.from(feed.name, 'latin1').toString('utf8'),
    state: feed.state.kind,
    owedBytes: bytes,
    owedRecords: records,
    oldestSeconds: oldest === undefined ? null : Math.max(0, secondsBetween(oldest, clock.now())),
  };
}
