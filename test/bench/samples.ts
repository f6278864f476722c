/** Figures of several competitors, taken in turns: rounds × competitors × what was measured. */
import { median } from './stats.js';

/** What one competitor reached in one round. */
export type Figures = Readonly<Record<string, number>>;
/** As it is kept in the JSON; null where a round failed. */
export type Rounds = Readonly<Record<string, readonly (Figures | null)[]>>;

export class Samples {
  readonly #rounds = new Map<string, (Figures | null)[]>();

  /** Of what {@link toJSON} gave. */
  static from(rounds: Rounds): Samples {
    const samples = new Samples();
    for (const [name, list] of Object.entries(rounds)) {
      for (const [round, figures] of list.entries()) {
        if (figures !== null) samples.add(name, round, figures);
      }
    }
    return samples;
  }

  add(name: string, round: number, figures: Figures): void {
    const list = this.#rounds.get(name) ?? [];
    while (list.length < round) list.push(null);
    list[round] = figures;
    this.#rounds.set(name, list);
  }

  /** In the order in which they were first measured. */
  get names(): readonly string[] {
    return [...this.#rounds.keys()];
  }

  /** NaN when it was never measured. */
  median(name: string, what: string): number {
    const values = this.#values(name, what).filter((v) => v !== undefined);
    return values.length === 0 ? Number.NaN : median(values);
  }

  /**
   * The median over the rounds of name : other. Neighbours in time are compared: what
   * slows the machine down slows both. Undefined when no round has both.
   */
  ratio(name: string, other: string, what: string): number | undefined {
    const theirs = this.#values(other, what);
    const ratios = this.#values(name, what).flatMap((value, round) => {
      const beside = theirs[round];
      return value === undefined || beside === undefined ? [] : [value / beside];
    });
    return ratios.length === 0 ? undefined : median(ratios);
  }

  toJSON(): Rounds {
    return Object.fromEntries(this.#rounds);
  }

  #values(name: string, what: string): readonly (number | undefined)[] {
    return (this.#rounds.get(name) ?? []).map((figures) => figures?.[what]);
  }
}
