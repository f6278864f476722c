/**
 * The settings of a feed, which are files of text: read, and written as a whole. A text
 * that cannot be taken, or not be stored, changes nothing but `lastError`, which says why.
 */
import { Errno, errnoName, FsError } from '../base/errno.js';
import type { EventCounts } from '../base/event-counts.js';
import type { Feed } from '../feed/feed.js';
import { formatFilter, parseFilter } from '../feed/filter.js';
import type { Log } from '../feed/log.js';
import type { FeedRegistry } from '../feed/registry.js';
import type { Answer, FeedSetting } from '../rpc/messages.js';
import type { GroupCommit } from '../store/group-commit.js';
import { answerLater } from './answer-later.js';
import type { Audience } from './audience.js';
import type { ServerEvent } from './server-events.js';

/** One setting. */
export interface Setting {
  /** What reading the file gives. */
  get(feed: Feed): string;
  /**
   * Takes the new text, or throws FsError with the reason and changes nothing. Returns how
   * to take it back.
   */
  set(feed: Feed, text: string): () => void;
}

export interface FeedControlParts {
  readonly registry: FeedRegistry;
  readonly log: Log;
  readonly commit: GroupCommit;
  readonly audience: Audience;
  /** The setting `policy`. */
  readonly policy: Setting;
  readonly events: EventCounts<ServerEvent>;
}

export class FeedControl {
  readonly #parts: FeedControlParts;
  readonly #settings: Readonly<Record<FeedSetting, Setting>>;

  constructor(parts: FeedControlParts) {
    this.#parts = parts;
    this.#settings = { filter: filterSetting(parts), policy: parts.policy };
  }

  text(feed: Feed, setting: FeedSetting): string {
    return this.#settings[setting].get(feed);
  }

  /**
   * Answers when the text is on disk. It holds from the commit on that brings it there, so
   * that no change is ever judged by a text that is refused after all. FsError(EINVAL,
   * ENOSPC) if it cannot be taken: also a full disk must let a feed be set so that it asks
   * for less.
   */
  setText(feed: Feed, setting: FeedSetting, text: string, answer: Answer<'feedSetText'>): void {
    const { commit } = this.#parts;
    // The next commit would be later: until then changes were made under the new text.
    if (!commit.flushing) return this.#setNow(feed, setting, text, answer);
    commit.whenFlushed((error) => {
      if (error !== undefined) {
        this.#refused(feed, error);
        return answer(error.errno, undefined);
      }
      try {
        this.setText(feed, setting, text, answer);
      } catch (fault) {
        answerLater(answer, () => {
          throw fault;
        });
      }
    });
  }

  #setNow(feed: Feed, setting: FeedSetting, text: string, answer: Answer<'feedSetText'>): void {
    const { registry, commit } = this.#parts;
    const takeBack = this.#set(feed, setting, text);
    registry.changed(feed);
    commit.note();
    // Commits now: if that fails, nothing has happened since.
    commit.whenFlushed((error) => {
      if (error !== undefined && registry.get(feed.id) === feed) {
        takeBack();
        registry.changed(feed);
        this.#refused(feed, error);
      }
      answer(error?.errno ?? 0, undefined);
    });
  }

  #set(feed: Feed, setting: FeedSetting, text: string): () => void {
    const { registry, commit } = this.#parts;
    if (registry.get(feed.id) !== feed) throw new FsError(Errno.ENODEV, 'the feed has ended');
    if (feed.state.kind === 'expired') {
      throw new FsError(Errno.EIDRM, 'the feed has expired: it can only be removed');
    }
    try {
      commit.admit('frees');
      const takeBack = this.#settings[setting].set(feed, text);
      feed.lastError = null;
      return takeBack;
    } catch (error) {
      if (error instanceof FsError) this.#refused(feed, error);
      throw error;
    }
  }

  #refused(feed: Feed, error: FsError): void {
    feed.lastError = reasonOf(error);
    this.#parts.events.count('settings_refused');
  }
}

/** What was logged before stays as it was judged: the filter holds for the records behind it. */
function filterSetting({ registry, log, audience }: FeedControlParts): Setting {
  return {
    get: ({ filterText }) => (filterText === null ? '' : `${filterText}\n`),
    set: (feed, text) => {
      const wanted = formatFilter(parseFilter(text));
      audience.checkRoom(feed, wanted);
      const { filterText, filterFrom } = feed;
      // The same once more keeps its beginning.
      if (wanted === (filterText ?? '')) return () => {};
      // That it has an index stays: it then takes every change, as it did before.
      if (wanted !== '') registry.index(feed);
      feed.filterText = wanted === '' ? null : wanted;
      feed.filterFrom = { epoch: log.newest.epoch, at: log.end };
      audience.changed(feed);
      return () => {
        feed.filterText = filterText;
        feed.filterFrom = filterFrom;
        audience.changed(feed);
      };
    },
  };
}

export function reasonOf({ errno, message }: FsError): string {
  const prefix = `${errnoName(errno)}: `;
  return message.startsWith(prefix) ? message.slice(prefix.length) : message;
}
