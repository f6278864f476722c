/**
 * The names that objects had at the end of the range, of a filesystem that changes while
 * they are asked for. Answers about names are given at some moment since that end; then
 * all that was recorded until after the answers is read (`catchUp`) and undone. So nothing
 * may be concluded from an answer before the next catching up.
 */
import type { Fid } from '../../base/fid.js';
import { S_IFMT } from '../../base/mode.js';
import type { ObjectPlaces } from '../../rpc/places.js';
import type { Later } from './later.js';
import { FIDS_PER_QUESTION } from './limits.js';
import { keyPlace, type NameKey, nameKey } from './name-key.js';

/** What the filesystem says of those objects now. */
export type AskPlaces = (fids: readonly Fid[]) => Promise<readonly ObjectPlaces[]>;

interface Answer {
  /** Type bits; 0 of an object that was not there. */
  readonly type: number;
  readonly keys: readonly NameKey[];
}

export class EndNames {
  readonly #ask: AskPlaces;
  readonly #catchUp: () => Promise<void>;
  readonly #later: Later;
  readonly #answers = new Map<Fid, Answer>();

  /** `catchUp` gives `later` every record of what any answer so far may have shown. */
  constructor(ask: AskPlaces, later: Later, catchUp: () => Promise<void>) {
    this.#ask = ask;
    this.#later = later;
    this.#catchUp = catchUp;
  }

  /** Asks for those that were not asked for, and for the directories that seem to be above them. */
  async learn(fids: Iterable<Fid>): Promise<void> {
    let wanted = this.#unknown(fids);
    if (wanted.length === 0) return;
    while (wanted.length > 0) {
      const parents = new Set<Fid>();
      for (let at = 0; at < wanted.length; at += FIDS_PER_QUESTION) {
        await this.#learnSome(wanted.slice(at, at + FIDS_PER_QUESTION), parents);
      }
      wanted = this.#unknown(parents);
    }
    await this.#catchUp();
  }

  /** At the end of the range; none of an object that was not there. It must be known. */
  keysOf(fid: Fid): Set<NameKey> {
    return this.#later.undone(fid, this.#answers.get(fid)?.keys ?? []);
  }

  /** Type bits; 0 if it is not known. */
  typeOf(fid: Fid): number {
    return this.#answers.get(fid)?.type || (this.#later.typeOf(fid) ?? 0);
  }

  #unknown(fids: Iterable<Fid>): Fid[] {
    return [...new Set(fids)].filter((fid) => !this.#answers.has(fid));
  }

  async #learnSome(fids: readonly Fid[], parents: Set<Fid>): Promise<void> {
    for (const { fid, mode, places } of await this.#ask(fids)) {
      const keys = places.map(({ parent, name }) => nameKey(parent, name));
      this.#answers.set(fid, { type: mode & S_IFMT, keys });
      for (const key of keys) {
        const { parent } = keyPlace(key);
        if (parent !== 0) parents.add(parent);
      }
    }
  }
}
