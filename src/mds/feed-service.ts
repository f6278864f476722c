/** The methods of the feeds: each is a few lines over feed/. */
import { unreachable } from '../base/assert.js';
import { Errno, FsError } from '../base/errno.js';
import { timeToNanoseconds } from '../base/time.js';
import type { Feed } from '../feed/feed.js';
import type { Log } from '../feed/log.js';
import type { Coordinate } from '../feed/position.js';
import type { FeedRegistry } from '../feed/registry.js';
import {
  firstOwed,
  owedBytes,
  type ReadResult,
  readAt,
  readNext,
  seekData,
  seekHole,
  type ViewOf,
  wholeRecords,
} from '../feed/view.js';
import type { FeedChunk, FeedView, Notice, Service } from '../rpc/messages.js';
import type { GroupCommit } from '../store/group-commit.js';

type FeedMethods = Pick<Service, Extract<keyof Service, `feed${string}`>>;

type AdministrationMethod =
  | 'feedCreate'
  | 'feedRemove'
  | 'feedLookup'
  | 'feedList'
  | 'feedStatus'
  | 'feedInfo';

export class FeedService {
  readonly methods: FeedMethods;
  readonly #registry: FeedRegistry;
  readonly #log: Log;
  readonly #commit: GroupCommit;
  readonly #notify: (notice: Notice) => void;

  constructor(parts: {
    readonly registry: FeedRegistry;
    readonly log: Log;
    readonly commit: GroupCommit;
    readonly notify: (notice: Notice) => void;
  }) {
    this.#registry = parts.registry;
    this.#log = parts.log;
    this.#commit = parts.commit;
    this.#notify = parts.notify;
    this.methods = { ...this.#administration(), ...this.#reading() };
  }

  /** FsError(ENODEV) once the feed has ended. */
  #feed(id: number): Feed {
    const feed = this.#registry.get(id);
    if (feed === undefined) throw new FsError(Errno.ENODEV, 'the feed has ended');
    return feed;
  }

  #end(feed: Feed): void {
    this.#registry.remove(feed);
    this.#commit.note();
    this.#notify({ kind: 'feed-ended', id: feed.id });
    if (this.#registry.count === 0) this.#notify({ kind: 'recording', recording: false });
  }

  #view(id: number, view: FeedView): ViewOf {
    const { cancelled } = this.#feed(id);
    return { log: this.#log, cancelled, coordinate: coordinateOf(view) };
  }

  /** Making, ending and describing feeds. */
  #administration(): Pick<FeedMethods, AdministrationMethod> {
    const registry = this.#registry;
    const commit = this.#commit;
    return {
      feedCreate: ({ name }, answer) => {
        commit.admit('takes');
        const feed = registry.create(name);
        const { id } = feed;
        commit.note();
        if (registry.count === 1) this.#notify({ kind: 'recording', recording: true });
        commit.whenFlushed((error) => {
          if (error === undefined) return answer(0, { id, name });
          // The next commit must not make what was refused.
          if (registry.get(id) === feed) this.#end(feed);
          answer(error.errno, undefined);
        });
      },
      feedRemove: ({ name }, answer) => {
        const feed = registry.named(name);
        commit.admit('frees');
        this.#end(feed);
        commit.whenFlushed((error) => answer(error?.errno ?? 0, undefined));
      },
      feedLookup: ({ name }, answer) => answer(0, registry.named(name)),
      feedList: (_request, answer) => answer(0, registry.list()),
      feedStatus: ({ id, view }, answer) => {
        const of = this.#view(id, view);
        answer(0, {
          id,
          size: this.#log.visibleEnd[of.coordinate],
          owed: owedBytes(of),
          mtime: this.#log.visibleTime,
          created: this.#feed(id).created,
        });
      },
      feedInfo: ({ id }, answer) => answer(0, this.#info(this.#feed(id))),
    };
  }

  /** What a consumer does with the bytes of a view. */
  #reading(): Omit<FeedMethods, AdministrationMethod> {
    const registry = this.#registry;
    const commit = this.#commit;
    return {
      feedNext: ({ id, view, cursor, into }, answer) => {
        const feed = registry.get(id);
        if (feed === undefined) return answer(0, ended(cursor));
        const result = readNext(this.#view(id, view), cursor, into);
        registry.seen(feed);
        reply(result, answer);
      },
      feedAt: ({ id, view, offset, into }, answer) => {
        const feed = registry.get(id);
        if (feed === undefined) return answer(0, ended(offset));
        const result = readAt(this.#view(id, view), offset, into);
        registry.seen(feed);
        reply(result, answer);
      },
      feedSeek: ({ id, view, offset, whence }, answer) => {
        const of = this.#view(id, view);
        switch (whence) {
          case 'data':
            return answer(0, seekData(of, offset));
          case 'hole':
            return answer(0, seekHole(of, offset));
          default:
            return unreachable(whence);
        }
      },
      feedReady: ({ id, view, cursor }, answer) => {
        answer(0, firstOwed(this.#view(id, view), cursor) !== undefined);
      },
      feedPunch: ({ id, view, offset, length }, answer) => {
        const feed = this.#feed(id);
        const range = wholeRecords(this.#view(id, view), offset, length);
        registry.seen(feed);
        if (range === undefined) return answer(0, undefined);
        commit.admit('frees');
        registry.cancel(feed, range);
        commit.note();
        commit.whenFlushed((error) => answer(error?.errno ?? 0, undefined));
      },
      feedWatch: ({ waiting }, answer) => {
        commit.watched = waiting;
        answer(0, undefined);
      },
    };
  }

  #info(feed: Feed): string {
    const { visibleEnd } = this.#log;
    const { sums } = feed.cancelled;
    const first = feed.cancelled.firstOpen(feed.start);
    // A feed may start where nothing is visible yet.
    const owedRecords = Math.max(0, visibleEnd.index - 1 - sums.index);
    const from = owedRecords > 0 ? first : visibleEnd;
    const info = {
      id: feed.id,
      name: Buffer.from(feed.name, 'latin1').toString('utf8'),
      state: 'active',
      created: timeToNanoseconds(feed.created),
      lastRead: feed.lastRead === undefined ? null : timeToNanoseconds(feed.lastRead),
      firstOffset: `${from.offset}`,
      nextOffset: `${visibleEnd.offset}`,
      firstIndex: `${from.index}`,
      nextIndex: `${visibleEnd.index}`,
      firstText: `${from.text}`,
      nextText: `${visibleEnd.text}`,
      owedBytes: `${Math.max(0, visibleEnd.offset - sums.offset)}`,
      owedRecords: `${owedRecords}`,
      owedText: `${Math.max(0, visibleEnd.text - sums.text)}`,
      filter: null,
      policy: null,
      lastError: feed.lastError,
    };
    return `${JSON.stringify(info, undefined, 2)}\n`;
  }
}

function coordinateOf(view: FeedView): Coordinate {
  return view === 'stream' ? 'offset' : 'text';
}

function ended(cursor: number): FeedChunk {
  return { length: 0, cursor, gone: true, damaged: false };
}

function reply(
  { length, cursor, damaged }: ReadResult,
  answer: (errno: Errno | 0, chunk: FeedChunk | undefined) => void,
): void {
  if (length === 0 && !damaged) answer(Errno.EAGAIN, undefined);
  else answer(0, { length, cursor, gone: false, damaged });
}
