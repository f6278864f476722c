/**
 * The retention policy of a feed: how long it may stay idle, how much it may owe, how
 * much disk must stay free, and what happens then. As text it is one JSON object:
 *
 *     {"maxIdle":"30d","maxBytes":"64M","then":"drop-oldest"}
 *
 * | member       | value                                                | absent          |
 * |--------------|------------------------------------------------------|-----------------|
 * | `maxIdle`    | a duration, `"90s"` `"15m"` `"12h"` `"30d"`, or `"never"` | `"30d"`; `"never"` with `block` |
 * | `maxBytes`   | owed bytes of `stream`: a whole number, or `"64M"` (K M G T); with `drop-oldest` at least 4096 | no limit |
 * | `maxRecords` | owed records: a number, or text as above; with `drop-oldest` at least 2 | no limit |
 * | `minFree`    | free bytes of the store's disk, or a share: `"5%"`, `"0.01%"` to `"99.99%"` | no limit |
 * | `then`       | `"expire"`, `"drop-oldest"`, `"block"`               | `"expire"`      |
 *
 * Idleness always expires a feed, for a consumer that never comes reads no LOST record and
 * must not stop everybody; `then` says what the other three limits lead to.
 */
import { Errno, FsError } from '../base/errno.js';
import { type JsonObject, parseJsonObject, quoted } from './json-object.js';
import {
  POLICY_AMOUNT_MAX,
  POLICY_DROP_BYTES_MIN,
  POLICY_DROP_RECORDS_MIN,
  POLICY_IDLE_SECONDS_MAX,
  POLICY_TEXT_BYTES_MAX,
} from './limits.js';

export type PolicyAction = 'expire' | 'drop-oldest' | 'block';

/** Bytes, or a share of the disk in percent. */
export type FreeLimit = { readonly bytes: number } | { readonly percent: number };

export interface Policy {
  /** Undefined: never. */
  readonly maxIdleSeconds: number | undefined;
  readonly maxBytes: number | undefined;
  readonly maxRecords: number | undefined;
  readonly minFree: FreeLimit | undefined;
  readonly action: PolicyAction;
}

const DAY_SECONDS = 86_400;

export const DEFAULT_POLICY: Policy = {
  maxIdleSeconds: 30 * DAY_SECONDS,
  maxBytes: undefined,
  maxRecords: undefined,
  minFree: undefined,
  action: 'expire',
};

const MEMBERS = ['maxIdle', 'maxBytes', 'maxRecords', 'minFree', 'then'];
const ACTIONS: readonly PolicyAction[] = ['expire', 'drop-oldest', 'block'];

/** In seconds, the largest first. */
const DURATION_UNITS = { d: DAY_SECONDS, h: 3_600, m: 60, s: 1 } as const;
/** In ones, the largest first. */
const AMOUNT_UNITS = { T: 2 ** 40, G: 2 ** 30, M: 2 ** 20, K: 2 ** 10 } as const;

/** What a text like them may be, for people. */
const AMOUNT_FORMS = 'a whole number, or one with K, M, G or T like "64M"';
const SHARE_FORMS = 'a share from "0.01%" to "99.99%"';

const DURATION = /^(\d{1,10})([dhms])$/;
const AMOUNT = /^(\d{1,16})([TGMK]?)$/;
const SHARE = /^(\d{1,2}(?:\.\d{1,2})?)%$/;

function refused(reason: string): FsError {
  return new FsError(Errno.EINVAL, `policy: ${reason}`);
}

/** Empty text is the default policy. FsError(EINVAL) with a reason for people. */
export function parsePolicy(text: string): Policy {
  if (Buffer.byteLength(text) > POLICY_TEXT_BYTES_MAX) {
    throw refused(`longer than ${POLICY_TEXT_BYTES_MAX} bytes`);
  }
  if (text.trim() === '') return DEFAULT_POLICY;
  const json = parseObject(text);
  for (const member of Object.keys(json)) {
    if (!MEMBERS.includes(member)) {
      throw refused(`unknown member ${quoted(member)}; there are ${MEMBERS.join(', ')}`);
    }
  }
  const action = json.then === undefined ? 'expire' : parseAction(json.then);
  const policy: Policy = {
    maxIdleSeconds:
      json.maxIdle === undefined ? defaultIdle(action) : parseDuration('maxIdle', json.maxIdle),
    maxBytes: optional(json.maxBytes, (value) => parseAmount('maxBytes', value)),
    maxRecords: optional(json.maxRecords, (value) => parseAmount('maxRecords', value)),
    minFree: optional(json.minFree, parseFree),
    action,
  };
  checkTogether(policy);
  return policy;
}

/** Whoever wants every change recorded does not want the recording to end unasked. */
function defaultIdle(action: PolicyAction): number | undefined {
  return action === 'block' ? undefined : DEFAULT_POLICY.maxIdleSeconds;
}

function parseObject(text: string): JsonObject {
  const json = parseJsonObject(text);
  if (typeof json === 'string') throw refused(`it ${json}`);
  return json;
}

function optional<T>(value: unknown, parse: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : parse(value);
}

function parseAction(value: unknown): PolicyAction {
  const action = ACTIONS.find((known) => known === value);
  if (action === undefined) {
    throw refused(`then is one of ${ACTIONS.map(quoted).join(', ')}, not ${quoted(value)}`);
  }
  return action;
}

function parseDuration(member: string, value: unknown): number | undefined {
  if (value === 'never') return undefined;
  const match = typeof value === 'string' ? DURATION.exec(value) : null;
  if (match === null) {
    throw refused(
      `${member} is "never" or a whole number with d, h, m or s like "30d", not ${quoted(value)}`,
    );
  }
  const unit = DURATION_UNITS[match[2] as keyof typeof DURATION_UNITS];
  const seconds = Number(match[1]) * unit;
  if (seconds === 0) throw refused(`${member} must be more than zero`);
  if (seconds > POLICY_IDLE_SECONDS_MAX) {
    const days = POLICY_IDLE_SECONDS_MAX / DAY_SECONDS;
    throw refused(`${member} is at most ${days} days; "never" is for longer`);
  }
  return seconds;
}

function parseAmount(member: string, value: unknown, forms = AMOUNT_FORMS): number {
  let amount = Number.NaN;
  if (typeof value === 'number') amount = value;
  else if (typeof value === 'string') {
    const match = AMOUNT.exec(value);
    const unit = AMOUNT_UNITS[match?.[2] as keyof typeof AMOUNT_UNITS] ?? 1;
    if (match !== null) amount = Number(match[1]) * unit;
  }
  if (Number.isNaN(amount)) {
    throw refused(`${member} is ${forms}, not ${quoted(value)}`);
  }
  if (!Number.isInteger(amount)) throw refused(`${member} is ${forms}, not ${quoted(value)}`);
  if (amount <= 0) throw refused(`${member} must be more than zero`);
  if (amount > POLICY_AMOUNT_MAX) throw refused(`${member} is at most ${POLICY_AMOUNT_MAX}`);
  return amount;
}

function parseFree(value: unknown): FreeLimit {
  const share = typeof value === 'string' ? SHARE.exec(value) : null;
  if (share === null) {
    return { bytes: parseAmount('minFree', value, `${AMOUNT_FORMS}, or ${SHARE_FORMS}`) };
  }
  const percent = Number(share[1]);
  if (percent === 0) throw refused('minFree must be more than zero');
  return { percent };
}

function checkTogether({ maxBytes, maxRecords, minFree, action }: Policy): void {
  if (action === 'expire') return;
  if (maxBytes === undefined && maxRecords === undefined && minFree === undefined) {
    throw refused(
      `${quoted(action)} needs maxBytes, maxRecords or minFree: being idle always expires a feed`,
    );
  }
  if (action !== 'drop-oldest') return;
  // The LOST record takes some of what may be owed, and something must be left beside it.
  if (maxBytes !== undefined && maxBytes < POLICY_DROP_BYTES_MIN) {
    throw refused(`maxBytes is at least ${POLICY_DROP_BYTES_MIN} with "drop-oldest"`);
  }
  if (maxRecords !== undefined && maxRecords < POLICY_DROP_RECORDS_MIN) {
    throw refused(`maxRecords is at least ${POLICY_DROP_RECORDS_MIN} with "drop-oldest"`);
  }
}

/** The one text for a policy, without a newline: `parsePolicy` gives the same policy back. */
export function formatPolicy(policy: Policy): string {
  const { maxIdleSeconds, maxBytes, maxRecords, minFree, action } = policy;
  return JSON.stringify({
    maxIdle: maxIdleSeconds === undefined ? 'never' : formatDuration(maxIdleSeconds),
    maxBytes: optional(maxBytes, () => formatAmount(maxBytes ?? 0)),
    maxRecords,
    minFree: minFree === undefined ? undefined : formatFree(minFree),
    // biome-ignore lint/suspicious/noThenProperty: text of a file, awaited by nobody
    then: action,
  });
}

/** Seconds as a policy has them: `30d`, `90s`. */
export function formatDuration(seconds: number): string {
  for (const [unit, size] of Object.entries(DURATION_UNITS)) {
    if (seconds % size === 0) return `${seconds / size}${unit}`;
  }
  return `${seconds}s`;
}

function formatAmount(amount: number): number | string {
  for (const [unit, size] of Object.entries(AMOUNT_UNITS)) {
    if (amount % size === 0) return `${amount / size}${unit}`;
  }
  return amount;
}

function formatFree(limit: FreeLimit): number | string {
  return 'percent' in limit ? `${limit.percent}%` : formatAmount(limit.bytes);
}
