/** The methods of the feeds: each is a few lines over feed/. */
import { unreachable } from '../base/assert.js';
import { Errno, FsError } from '../base/errno.js';
import type { Clock } from '../base/time.js';
import type { Feed } from '../feed/feed.js';
import type { Log } from '../feed/log.js';
import { acknowledgedOf, openPart, placesOf } from '../feed/owed.js';
import type { FeedRegistry } from '../feed/registry.js';
import {
  type ByteView,
  firstOwed,
  type ReadResult,
  readAt,
  readNext,
  seekData,
  seekHole,
} from '../feed/view.js';
import type {
  FeedChunk,
  FeedFile,
  FeedPlaces,
  FeedView,
  Notice,
  Service,
} from '../rpc/messages.js';
import type { GroupCommit } from '../store/group-commit.js';
import type { FeedControl } from './feed-control.js';
import { infoText } from './feed-info.js';

type FeedMethods = Pick<Service, Extract<keyof Service, `feed${string}`>>;

type AdministrationMethod = 'feedCreate' | 'feedRemove' | 'feedOpen' | 'feedClose';

type DescribingMethod =
  | 'feedLookup'
  | 'feedList'
  | 'feedStatus'
  | 'feedPlaces'
  | 'feedText'
  | 'feedSetText';

export class FeedService {
  readonly methods: FeedMethods;
  readonly #registry: FeedRegistry;
  readonly #log: Log;
  readonly #commit: GroupCommit;
  readonly #control: FeedControl;
  readonly #notify: (notice: Notice) => void;
  readonly #clock: Clock;
  readonly #isFull: (feed: Feed) => boolean;
  readonly #filesystem: string;

  constructor(parts: {
    readonly registry: FeedRegistry;
    readonly log: Log;
    readonly commit: GroupCommit;
    readonly control: FeedControl;
    readonly notify: (notice: Notice) => void;
    readonly clock: Clock;
    /** Its policy says `block`, and it has no room for a record. */
    readonly isFull: (feed: Feed) => boolean;
    /** Its identity. */
    readonly filesystem: string;
  }) {
    this.#registry = parts.registry;
    this.#log = parts.log;
    this.#commit = parts.commit;
    this.#control = parts.control;
    this.#notify = parts.notify;
    this.#clock = parts.clock;
    this.#isFull = parts.isFull;
    this.#filesystem = parts.filesystem;
    this.methods = { ...this.#administration(), ...this.#describing(), ...this.#reading() };
  }

  /** FsError(ENODEV) once the feed is removed. */
  #feed(id: number): Feed {
    const feed = this.#registry.get(id);
    if (feed === undefined) throw new FsError(Errno.ENODEV, 'the feed has ended');
    return feed;
  }

  #end(feed: Feed): void {
    this.#registry.remove(feed);
    this.#commit.note();
    this.#notify({ kind: 'feed-ended', id: feed.id });
  }

  /** What an open of a feed reads; undefined when nothing more will come for it. */
  #open({ id, view, epoch }: FeedFile): ByteView | undefined {
    const part = this.#registry.get(id)?.part(epoch);
    return part === undefined ? undefined : viewOf(part, view);
  }

  /** FsError(ENODEV) when nothing more will come. */
  #view(file: FeedFile): ByteView {
    const view = this.#open(file);
    if (view === undefined) throw new FsError(Errno.ENODEV, 'the feed has ended');
    return view;
  }

  /** Making and ending feeds. */
  #administration(): Pick<FeedMethods, AdministrationMethod> {
    const registry = this.#registry;
    const commit = this.#commit;
    return {
      feedCreate: ({ name }, answer) => {
        commit.admit('takes');
        const feed = registry.create(name);
        const { id } = feed;
        commit.note();
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
      feedOpen: ({ id }, answer) => {
        const feed = this.#feed(id);
        const part = openPart(feed);
        if (part === undefined) {
          throw new FsError(Errno.EIDRM, 'the feed expired: its consumer has to resynchronise');
        }
        registry.opened(feed);
        answer(0, { epoch: part.span.epoch });
      },
      feedClose: ({ id }, answer) => {
        const feed = registry.get(id);
        if (feed !== undefined) registry.closed(feed);
        answer(0, undefined);
      },
    };
  }

  #describing(): Pick<FeedMethods, DescribingMethod> {
    const registry = this.#registry;
    return {
      feedLookup: ({ name }, answer) => answer(0, registry.named(name)),
      feedList: (_request, answer) => answer(0, registry.list()),
      feedStatus: ({ id, view, epoch }, answer) => {
        const feed = this.#feed(id);
        const { created } = feed;
        const part = epoch === undefined ? openPart(feed) : feed.part(epoch);
        if (part === undefined) {
          const { next } = placesOf(feed, this.#log.newest);
          const size = next[coordinateOf(view)];
          const mtime = feed.state.kind === 'expired' ? feed.state.when : created;
          return answer(0, { id, size, owed: 0, mtime, created });
        }
        const { visibleEnd, visibleTime } = part.span;
        const coordinate = coordinateOf(view);
        answer(0, {
          id,
          size: visibleEnd[coordinate],
          owed: part.owed[coordinate],
          mtime: visibleTime,
          created,
        });
      },
      feedPlaces: ({ id }, answer) => answer(0, this.#places(this.#feed(id))),
      feedText: ({ id, file }, answer) => {
        const feed = this.#feed(id);
        answer(0, file === 'info' ? this.#info(feed) : this.#control.text(feed, file));
      },
      feedSetText: ({ id, file, text }, answer) =>
        this.#control.setText(this.#feed(id), file, text, answer),
    };
  }

  /** What a consumer does with the bytes of a view. */
  #reading(): Omit<FeedMethods, AdministrationMethod | DescribingMethod> {
    const registry = this.#registry;
    const commit = this.#commit;
    return {
      feedNext: ({ cursor, into, ...file }, answer) => {
        const view = this.#open(file);
        if (view === undefined) return answer(0, ended(cursor));
        const result = readNext(view, cursor, into);
        registry.seen(this.#feed(file.id));
        reply(view, result, answer);
      },
      feedAt: ({ offset, into, ...file }, answer) => {
        const view = this.#open(file);
        if (view === undefined) return answer(0, ended(offset));
        const result = readAt(view, offset, into);
        registry.seen(this.#feed(file.id));
        reply(view, result, answer);
      },
      feedSeek: ({ offset, whence, ...file }, answer) => {
        const view = this.#view(file);
        switch (whence) {
          case 'data':
            return answer(0, seekData(view, offset));
          case 'hole':
            return answer(0, seekHole(view, offset));
          default:
            return unreachable(whence);
        }
      },
      feedReady: ({ cursor, ...file }, answer) => {
        const view = this.#view(file);
        const ready = firstOwed(view, cursor) !== undefined;
        if (!ready && view.part.span.complete) {
          throw new FsError(Errno.ENODEV, 'the epoch has ended');
        }
        answer(0, ready);
      },
      feedPunch: ({ offset, length, ...file }, answer) => {
        const feed = this.#feed(file.id);
        const view = this.#view(file);
        registry.seen(feed);
        commit.admit('frees');
        if (!registry.punch(feed, view, offset, length)) return answer(0, undefined);
        commit.note();
        commit.whenFlushed((error) => answer(error?.errno ?? 0, undefined));
      },
      feedWatch: ({ waiting }, answer) => {
        commit.watched = waiting;
        answer(0, undefined);
      },
    };
  }

  #places(feed: Feed): FeedPlaces {
    const { epoch, first, next } = placesOf(feed, this.#log.newest);
    return {
      epoch,
      firstOffset: first.offset,
      nextOffset: next.offset,
      firstIndex: first.index,
      nextIndex: next.index,
      firstText: first.text,
      nextText: next.text,
    };
  }

  #info(feed: Feed): string {
    return infoText(feed, {
      filesystem: this.#filesystem,
      acknowledged: acknowledgedOf(feed, this.#log.newest),
      places: this.#places(feed),
      owed: this.#registry.owed(feed),
      idleSeconds: feed.idleness.at(this.#clock.monotonicUs()) / 1_000_000,
      full: this.#isFull(feed),
      filter: this.#control.text(feed, 'filter'),
      policy: this.#control.text(feed, 'policy'),
    });
  }
}

function viewOf(part: ByteView['part'], view: FeedView): ByteView {
  return { part, coordinate: coordinateOf(view) };
}

function coordinateOf(view: FeedView): ByteView['coordinate'] {
  return view === 'stream' ? 'offset' : 'text';
}

function ended(cursor: number): FeedChunk {
  return { length: 0, cursor, gone: true, damaged: false };
}

/** At the end of a span that is complete nothing more comes. */
function reply(
  { part }: ByteView,
  { length, cursor, damaged }: ReadResult,
  answer: (errno: Errno | 0, chunk: FeedChunk | undefined) => void,
): void {
  if (length > 0 || damaged) answer(0, { length, cursor, gone: false, damaged });
  else if (part.span.complete) answer(0, ended(cursor));
  else answer(Errno.EAGAIN, undefined);
}
