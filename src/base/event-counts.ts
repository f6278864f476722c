/** Counts of what seldom happens and somebody should be able to see: refusals, losses, limits reached. */
export class EventCounts<Name extends string> {
  readonly #counts = new Map<Name, number>();

  /** `names`: shown from the start, at 0, so that monitoring knows what there is. */
  constructor(names: readonly Name[]) {
    for (const name of names) this.#counts.set(name, 0);
  }

  count(name: Name, by = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  snapshot(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
