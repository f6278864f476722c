/** What clients tried that they had no right to: counted, and logged once per kind and client. */
import createDebug from 'debug';
import type { EventCounts } from '../../base/event-counts.js';
import type { ServerEvent } from '../server-events.js';

const debug = createDebug('feedfs:export');

/** So many are remembered as logged; further ones are counted, and logged again once these are forgotten. */
const LOGGED_MAX = 4_096;

export class Refusals {
  readonly #events: EventCounts<ServerEvent>;
  readonly #log: (line: string) => void;
  readonly #logged = new Set<string>();

  constructor(events: EventCounts<ServerEvent>, log: (line: string) => void) {
    this.#events = events;
    this.#log = log;
  }

  /** `who`: a client or a peer, for people. */
  add(event: ServerEvent, who: string, why: string): void {
    this.#events.count(event);
    debug('%s: %s: %s', event, who, why);
    const key = `${event} ${who}`;
    if (this.#logged.has(key)) return;
    if (this.#logged.size >= LOGGED_MAX) this.#logged.clear();
    this.#logged.add(key);
    this.#log(`${who}: ${event.replace('_', ' ')}: ${why}`);
  }
}
