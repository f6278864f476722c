/** The `info` file of a feed as a {@link FeedInfo}. */
import { FeedError } from './errors.js';
import { asObject, decimal, FieldError, flag, integer, type Json, text, time } from './json.js';
import type { FeedInfo, FeedPosition, Loss, Time } from './types.js';

/** Throws FeedError `BAD_RECORD` if the text is not that of an `info` file. */
export function parseInfo(content: string, path: string): FeedInfo {
  try {
    const json = asObject(JSON.parse(content), 'info');
    return {
      id: integer(json, 'id'),
      name: text(json, 'name'),
      filesystem: text(json, 'filesystem'),
      state: text(json, 'state'),
      created: time(json, 'created'),
      lastRead: unlessNull(json, 'lastRead', time),
      ...places(json),
      acknowledged: position(json, 'acknowledged'),
      gaps: integer(json, 'gaps'),
      oldest: unlessNull(json, 'oldest', time),
      opens: integer(json, 'opens'),
      idleSeconds: integer(json, 'idleSeconds'),
      filter: unlessNull(json, 'filter', object),
      filterFrom: unlessNull(json, 'filterFrom', position),
      policy: object(json, 'policy'),
      full: flag(json, 'full'),
      lost: unlessNull(json, 'lost', loss),
      expired: unlessNull(json, 'expired', loss),
      lastError: unlessNull(json, 'lastError', text),
    };
  } catch (error) {
    if (!(error instanceof FieldError) && !(error instanceof SyntaxError)) throw error;
    throw new FeedError('BAD_RECORD', path, `not a feed's info: ${path}: ${error.message}`, {
      cause: error,
    });
  }
}

function places(json: Json) {
  return {
    epoch: integer(json, 'epoch'),
    firstOffset: decimal(json, 'firstOffset'),
    nextOffset: decimal(json, 'nextOffset'),
    firstIndex: decimal(json, 'firstIndex'),
    nextIndex: decimal(json, 'nextIndex'),
    firstText: decimal(json, 'firstText'),
    nextText: decimal(json, 'nextText'),
    owedBytes: decimal(json, 'owedBytes'),
    owedRecords: decimal(json, 'owedRecords'),
    owedText: decimal(json, 'owedText'),
  };
}

function unlessNull<T>(json: Json, key: string, read: (json: Json, key: string) => T) {
  return json[key] === null ? undefined : read(json, key);
}

function object(json: Json, key: string): Json {
  return asObject(json[key], key);
}

function position(json: Json, key: string): FeedPosition {
  const from = asObject(json[key], key);
  return {
    epoch: integer(from, 'epoch'),
    offset: decimal(from, 'offset'),
    text: decimal(from, 'text'),
    index: decimal(from, 'index'),
  };
}

function loss(json: Json, key: string): Loss {
  const from = asObject(json[key], key);
  return {
    when: time(from, 'when'),
    why: text(from, 'why'),
    firstIndex: decimal(from, 'firstIndex'),
    lastIndex: decimal(from, 'lastIndex'),
    records: decimal(from, 'records'),
    bytes: decimal(from, 'bytes'),
  };
}

/** What to tell the consumer of a feed that expired: FeedError `EXPIRED`. */
export function expiredError({ name, expired }: FeedInfo, path: string): FeedError {
  const end = expired === undefined ? '' : ` at ${isoTime(expired.when)} because ${expired.why}`;
  const lost =
    expired === undefined || expired.records === 0
      ? 'It owed nothing then'
      : `${expired.records} records are lost, of indices ${expired.firstIndex} to ${expired.lastIndex}`;
  return new FeedError(
    'EXPIRED',
    path,
    `feed ${name} expired${end}. ${lost}, and nothing since then is recorded for it: ` +
      'compare everything anew, after removing the feed and making it again ' +
      `(feedfs feed rm ${name}; feedfs feed create ${name})`,
  );
}

const MS_PER_SECOND = 1000;

function isoTime({ sec }: Time): string {
  return new Date(sec * MS_PER_SECOND).toISOString().replace('.000Z', 'Z');
}
