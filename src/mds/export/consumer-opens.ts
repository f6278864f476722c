/** What one client's consumers have open: feeds, watches, baselines; and whether one of them waits. */
export class ConsumerOpens {
  readonly watches = new Set<number>();
  readonly baselines = new Set<number>();
  /** Whether one waits for records. */
  waiting = false;
  readonly #feeds = new Map<number, number>();
  #feedOpens = 0;

  get size(): number {
    return this.watches.size + this.baselines.size + this.#feedOpens;
  }

  /** One open more of that feed. */
  openedFeed(id: number): void {
    this.#feeds.set(id, (this.#feeds.get(id) ?? 0) + 1);
    this.#feedOpens++;
  }

  /** False if it had none. */
  closedFeed(id: number): boolean {
    const count = this.#feeds.get(id);
    if (count === undefined) return false;
    if (count === 1) this.#feeds.delete(id);
    else this.#feeds.set(id, count - 1);
    this.#feedOpens--;
    return true;
  }

  /** Each feed as often as it is open; none any more. */
  *takeFeeds(): Generator<number> {
    const feeds = [...this.#feeds];
    this.#feeds.clear();
    this.#feedOpens = 0;
    for (const [id, count] of feeds) for (let n = 0; n < count; n++) yield id;
  }
}
