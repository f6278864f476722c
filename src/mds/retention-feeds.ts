/** The active feeds, by what their policies ask for. Sorted anew when a feed comes, ends or gets another policy. */
import type { Feed } from '../feed/feed.js';
import type { Policy } from '../feed/policy.js';
import type { FeedRegistry } from '../feed/registry.js';
import type { RetentionPolicies } from './retention-policies.js';

export interface FeedGroups {
  readonly all: readonly Feed[];
  /** They expire, or lose their oldest records, when they owe too much. */
  readonly limited: readonly Feed[];
  /** …and when the disk has too little space. */
  readonly givers: readonly Feed[];
  /** Nothing that they must take happens while there is no room for it. */
  readonly blockers: readonly Feed[];
  /** Those of them that ask for free space on the disk. */
  readonly spaceBlockers: readonly Feed[];
}

/** Whether a feed with that policy gives up records when the disk has too little space. */
export function givesSpace({ action, minFree }: Policy): boolean {
  return action !== 'block' && minFree !== undefined;
}

export class RetentionFeeds {
  readonly #registry: FeedRegistry;
  readonly #policies: RetentionPolicies;
  #groups: FeedGroups | undefined;

  constructor(registry: FeedRegistry, policies: RetentionPolicies) {
    this.#registry = registry;
    this.#policies = policies;
    registry.onChange(() => this.changed());
  }

  /** The same object as long as nothing has changed. */
  get groups(): FeedGroups {
    this.#groups ??= this.#sort();
    return this.#groups;
  }

  /** Some feed has another policy. */
  changed(): void {
    this.#groups = undefined;
  }

  #sort(): FeedGroups {
    const all = this.#registry.list().filter(({ state }) => state.kind === 'active');
    const blockers: Feed[] = [];
    const spaceBlockers: Feed[] = [];
    const limited: Feed[] = [];
    const givers: Feed[] = [];
    for (const feed of all) {
      const policy = this.#policies.of(feed);
      const { action, maxBytes, maxRecords, minFree } = policy;
      if (action === 'block') {
        blockers.push(feed);
        if (minFree !== undefined) spaceBlockers.push(feed);
        continue;
      }
      if (maxBytes !== undefined || maxRecords !== undefined) limited.push(feed);
      if (givesSpace(policy)) givers.push(feed);
    }
    return { all, limited, givers, blockers, spaceBlockers };
  }
}
