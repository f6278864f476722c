/** The methods of transient feeds, their limits, and what they keep in the log. */
import { must } from '../base/assert.js';
import { Errno, FsError } from '../base/errno.js';
import type { EventCounts } from '../base/event-counts.js';
import type { Identity } from '../base/permission.js';
import type { Clock } from '../base/time.js';
import { asksForAccesses, type Filter, parseFilter, passes } from '../feed/filter.js';
import { BLOCK_BYTES } from '../feed/limits.js';
import type { Log } from '../feed/log.js';
import type { Holder, Purge, Stretch } from '../feed/purge.js';
import type { RecordPlace } from '../feed/takers.js';
import type { Service, Watcher } from '../rpc/messages.js';
import type { Audience } from './audience.js';
import { reasonOf } from './feed-control.js';
import {
  WATCH_LOG_BYTES_MAX,
  WATCHES_FIRST_ONLY,
  WATCHES_OF_USERS_MAX,
  WATCHES_PER_USER_MAX,
  WATCHES_PRIVILEGED_MAX,
} from './limits.js';
import type { Namespace } from './namespace.js';
import { Reach } from './reach.js';
import type { ServerEvent } from './server-events.js';
import { Watch } from './watch.js';
import { WatchLogReader } from './watch-log.js';
import { UserView } from './watch-user-view.js';
import { type Passes, PrivilegedView } from './watch-view.js';

export type WatchServiceMethods = Pick<Service, Extract<keyof Service, `watch${string}`>>;

export interface WatchServiceParts {
  readonly namespace: Namespace;
  readonly log: Log;
  readonly audience: Audience;
  readonly events: EventCounts<ServerEvent>;
  readonly feeds: { readonly purge: Purge };
}

export interface WatchServiceOptions {
  readonly clock: Clock;
  /** Whether ordinary users may have watches. */
  readonly forUsers: boolean;
}

interface Open {
  readonly watch: Watch;
  readonly who: Watcher;
  /** Of an ordinary user. */
  readonly reach: Reach | undefined;
}

export class WatchService implements Holder {
  readonly methods: WatchServiceMethods;
  readonly #parts: WatchServiceParts;
  readonly #options: WatchServiceOptions;
  readonly #log: WatchLogReader;
  readonly #open = new Map<number, Open>();
  #nextId = 1;
  /** From there on the log is kept for the watches; the purge knows that it is not before. */
  #keptFrom: RecordPlace | undefined;

  /** `parts` of the server. */
  constructor(parts: WatchServiceParts, options: WatchServiceOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#log = new WatchLogReader(parts.log);
    parts.feeds.purge.addHolder(this);
    this.methods = {
      watchOpen: ({ who }, answer) => answer(0, { id: this.#openWatch(who) }),
      watchFilter: ({ id, by, text }, answer) => {
        this.#filter(this.#usedBy(id, by), text);
        answer(0, undefined);
      },
      watchNext: ({ id, by, into }, answer) => {
        const length = this.#usedBy(id, by).read(into);
        if (length === 0) return answer(Errno.EAGAIN, undefined);
        this.trim();
        answer(0, { length });
      },
      watchReady: ({ id, by }, answer) => answer(0, this.#usedBy(id, by).ready),
      watchClose: ({ id }, answer) => {
        const { watch } = this.#of(id);
        parts.audience.removeWatch(watch);
        watch.close();
        this.#open.delete(id);
        if (this.#open.size > 0) this.trim();
        else this.#releaseAll();
        answer(0, undefined);
      },
    };
  }

  get count(): number {
    return this.#open.size;
  }

  holds({ span: { epoch }, to }: Stretch): boolean {
    const oldest = this.#oldest();
    if (oldest === undefined) return false;
    return epoch > oldest.epoch || (epoch === oldest.epoch && to > oldest.offset);
  }

  /** Lets go of what lies too far back; called when records become visible, and after reads. */
  trim(): void {
    if (this.#keptFrom === undefined) return;
    const end = this.#visibleEnd();
    const from = end.offset - WATCH_LOG_BYTES_MAX;
    for (const { watch } of this.#open.values()) watch.trim(end.epoch, from);
    this.#release(this.#oldest() ?? end);
  }

  /** The last watch is gone: so is what is not visible yet, as far as watches are concerned. */
  #releaseAll(): void {
    const { epoch, end } = this.#parts.log.newest;
    this.#release({ epoch, offset: end.offset, index: end.index });
    this.#keptFrom = undefined;
  }

  /** A block's worth at a time while watches are open: the purge works with each. */
  #release(before: RecordPlace): void {
    const kept = this.#keptFrom;
    if (kept === undefined) return;
    const isLittle = kept.epoch === before.epoch && before.offset - kept.offset < BLOCK_BYTES;
    if (isLittle && this.#open.size > 0) return;
    this.#keptFrom = before;
    for (const span of this.#parts.log.spans) {
      if (span.epoch < kept.epoch || span.epoch > before.epoch) continue;
      const start = span.epoch === kept.epoch ? kept : span.start;
      const end = span.epoch === before.epoch ? before : span.end;
      if (start.offset < end.offset) this.#parts.feeds.purge.released(span, { start, end });
    }
  }

  #visibleEnd(): RecordPlace {
    const { epoch, visibleEnd } = must(this.#parts.log.spans.at(-1), 'the open span');
    return { epoch, offset: visibleEnd.offset, index: visibleEnd.index };
  }

  #oldest(): RecordPlace | undefined {
    let oldest: RecordPlace | undefined;
    for (const { watch } of this.#open.values()) {
      const place = watch.oldest;
      if (place === undefined) continue;
      if (oldest === undefined || isBefore(place, oldest)) oldest = place;
    }
    return oldest;
  }

  #of(id: number): Open {
    const open = this.#open.get(id);
    if (open === undefined) throw new FsError(Errno.EBADF, 'no such watch');
    return open;
  }

  /** FsError(EACCES) for whoever is not the one that opened it, unless one of the two is privileged. */
  #usedBy(id: number, by: Watcher): Watch {
    const { watch, who } = this.#of(id);
    if (who.privileged || by.privileged || isSame(who, by)) return watch;
    throw new FsError(Errno.EACCES, 'the watch was opened by somebody else');
  }

  #openWatch(who: Watcher): number {
    this.#admit(who);
    const { namespace, audience, events } = this.#parts;
    const reach = who.privileged ? undefined : this.#reachOf(who);
    const view =
      reach === undefined ? new PrivilegedView(this.#passes) : new UserView(namespace, reach);
    const watch = new Watch(view, this.#log, this.#options.clock, (records) =>
      events.count('watch_records_dropped', records),
    );
    const id = this.#nextId++;
    this.#open.set(id, { watch, who, reach });
    this.#keptFrom ??= this.#visibleEnd();
    audience.addWatch(watch);
    return id;
  }

  /** FsError(EACCES, EMFILE). Ordinary users cannot use up what the privileged have. */
  #admit({ privileged, uid }: Watcher): void {
    const { events } = this.#parts;
    const refuse = (errno: Errno, reason: string): never => {
      events.count('watches_refused');
      throw new FsError(errno, reason);
    };
    if (!privileged && !this.#options.forUsers)
      refuse(Errno.EACCES, 'watches are for root and whoever mounted');
    const same = [...this.#open.values()].filter(({ who }) => who.privileged === privileged);
    const max = privileged ? WATCHES_PRIVILEGED_MAX : WATCHES_OF_USERS_MAX;
    if (same.length >= max) refuse(Errno.EMFILE, `${max} watches are open`);
    if (privileged) return;
    const own = same.filter(({ who }) => who.uid === uid).length;
    if (own >= WATCHES_PER_USER_MAX) refuse(Errno.EMFILE, `user ${uid} has ${own} watches open`);
    const rest = max - WATCHES_FIRST_ONLY;
    if (own > 0 && same.length >= rest) {
      refuse(Errno.EMFILE, `${same.length} watches are open; the others are for users without one`);
    }
  }

  /** What cannot be judged, because the store cannot be read, is shown rather than lost. */
  readonly #passes: Passes = (filter, change, body) => {
    try {
      return passes(filter, change, body, this.#parts.namespace.links);
    } catch (error) {
      if (error instanceof FsError) return true;
      throw error;
    }
  };

  /** Shared by equal identities: whatever they may reach is found out once. */
  #reachOf(who: Identity): Reach {
    for (const { reach } of this.#open.values()) {
      if (reach !== undefined && isSame(reach.who, who)) return reach;
    }
    const { uid, gid, groups } = who;
    return new Reach(this.#parts.namespace, { uid, gid, groups: [...groups] });
  }

  #filter(watch: Watch, text: string): void {
    const filter = acceptFilter(watch, text);
    if (asksForAccesses(filter)) this.#parts.audience.watchChanged();
  }
}

/** FsError(EINVAL, EPERM, EBUSY). */
function acceptFilter(watch: Watch, text: string): Filter {
  try {
    const filter = parseFilter(text);
    watch.filter(filter);
    return filter;
  } catch (error) {
    if (error instanceof FsError) watch.refused(reasonOf(error));
    throw error;
  }
}

function isBefore(a: RecordPlace, b: RecordPlace): boolean {
  return a.epoch < b.epoch || (a.epoch === b.epoch && a.offset < b.offset);
}

function isSame(a: Identity, b: Identity): boolean {
  if (a.uid !== b.uid || a.gid !== b.gid || a.groups.length !== b.groups.length) return false;
  return a.groups.every((group, i) => group === b.groups[i]);
}
