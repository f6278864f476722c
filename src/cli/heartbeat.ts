/**
 * What has to happen without a request: commits that are due, the purge, records of
 * data written. The session ticks it while it works; while it sleeps one timer does.
 */
import type { Client } from '../client/client.js';
import type { LoopHooks } from '../fuse/api.js';
import type { MetadataServer } from '../mds/server.js';
import type { ResidentLimit } from '../store/resident.js';

/** How often unrecorded writes are looked at. */
const RECORD_CHECK_MS = 250;
/** Pause between two steps of the purge, or of what a reader waits for, while nothing else happens. */
const PURGE_PAUSE_MS = 1;

export class Heartbeat implements LoopHooks {
  readonly #server: MetadataServer;
  readonly #client: Client;
  readonly #resident: ResidentLimit;
  #timer: NodeJS.Timeout | undefined;
  #timerAtUs = 0;
  #stopped = false;

  constructor(server: MetadataServer, client: Client, resident: ResidentLimit) {
    this.#server = server;
    this.#client = client;
    this.#resident = resident;
  }

  /** The loop may rest again once nothing is in flight: `kick` makes it look. */
  start(kick: () => void): void {
    this.#server.commit.onSettled(() => {
      this.tick(performance.now() * 1000);
      kick();
    });
    this.tick(performance.now() * 1000);
  }

  tick(nowUs: number): boolean {
    if (this.#stopped) return false;
    this.#client.tick(nowUs);
    const busy = this.#server.tick(nowUs);
    this.#resident.check(nowUs);
    this.#arm(nowUs);
    return busy;
  }

  restUs(nowUs: number): number {
    return this.#waitUs(nowUs) ?? Number.POSITIVE_INFINITY;
  }

  /** Whatever is flushed from here on wakes nothing: the store may be closed. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** One timer, set again only when it must ring earlier than it would. */
  #arm(nowUs: number): void {
    const waitUs = this.#waitUs(nowUs);
    if (waitUs === undefined) return;
    const atUs = nowUs + waitUs;
    if (this.#timer !== undefined && this.#timerAtUs <= atUs) return;
    clearTimeout(this.#timer);
    this.#timerAtUs = atUs;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.tick(performance.now() * 1000);
      },
      Math.ceil(waitUs / 1000),
    );
  }

  #waitUs(nowUs: number): number | undefined {
    const due = this.#server.commit.dueInUs(nowUs);
    if (due !== undefined) return due;
    const { feeds, changelog, baselines } = this.#server;
    const goesOn = feeds.purge.pending || changelog.unfinished || baselines.unfinished;
    if (goesOn) return PURGE_PAUSE_MS * 1000;
    return this.#client.anyDirty ? RECORD_CHECK_MS * 1000 : undefined;
  }
}
