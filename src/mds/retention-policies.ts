/** The policies of all feeds, as values. */
import { errnoOf } from '../base/errno.js';
import type { Feed } from '../feed/feed.js';
import { DEFAULT_POLICY, formatPolicy, type Policy, parsePolicy } from '../feed/policy.js';

export class RetentionPolicies {
  readonly #policies = new WeakMap<
    Feed,
    { readonly text: string | null; readonly policy: Policy }
  >();

  of(feed: Feed): Policy {
    const known = this.#policies.get(feed);
    if (known !== undefined && known.text === feed.policyText) return known.policy;
    const policy = stored(feed);
    this.#policies.set(feed, { text: feed.policyText, policy });
    return policy;
  }

  /** What the file `policy` shows. */
  text(feed: Feed): string {
    return `${formatPolicy(this.of(feed))}\n`;
  }
}

/** What cannot be understood must not end a feed: then nothing does. */
function stored(feed: Feed): Policy {
  try {
    return parsePolicy(feed.policyText ?? '');
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    feed.lastError = `the stored policy is not understood, nothing limits this feed: ${(error as Error).message}`;
    return { ...DEFAULT_POLICY, maxIdleSeconds: undefined };
  }
}
