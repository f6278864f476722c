/** Which feeds might have to take a change that has not been made yet. */
import type { Feed } from '../feed/feed.js';
import type { Filter } from '../feed/filter.js';
import { storedFilter } from '../feed/filter-stored.js';
import type { ReintRequest } from '../rpc/messages.js';
import { mayPass, type Tree } from './filter-forecast.js';

export class FeedFilters {
  readonly #tree: Tree;
  readonly #filters = new WeakMap<
    Feed,
    { readonly text: string | null; readonly filter: Filter }
  >();

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  /** May say so too often, never no wrongly. FsError(EIO) if the store cannot be read. */
  mayTake(feed: Feed, { change, who }: ReintRequest): boolean {
    return mayPass(this.#of(feed), change, who, this.#tree);
  }

  #of(feed: Feed): Filter {
    const known = this.#filters.get(feed);
    if (known !== undefined && known.text === feed.filterText) return known.filter;
    const { filter } = storedFilter(feed.filterText);
    this.#filters.set(feed, { text: feed.filterText, filter });
    return filter;
  }
}
