/** What a receiver writes to its standard output, line by line. Pure. */
import { asObject, FieldError, type Json, text } from '../../consumer/json.js';
import type { LogPlace } from '../../rpc/baseline.js';
import { placeFromJson } from '../stream/header.js';
import { EVENT_LINE_BYTES_MAX } from './limits.js';
import { SendError } from './send-error.js';
import type { Copy } from './start.js';

export type ReceiverEvent =
  | { readonly event: 'hello'; readonly copy: Copy | null }
  | { readonly event: 'confirmed'; readonly place: LogPlace }
  /** Progress and the like: for whoever shows it. */
  | { readonly event: 'other'; readonly json: Json };

/** Bytes, as they come, to events. */
export class ReceiverEvents {
  /** The beginning of a line, in the pieces in which it came. */
  #rest: Buffer[] = [];
  #restBytes = 0;

  /** Throws SendError `receiver` for what no receiver writes. */
  *push(bytes: Buffer): Generator<ReceiverEvent> {
    let start = 0;
    for (let end = bytes.indexOf('\n'); end >= 0; end = bytes.indexOf('\n', start)) {
      const line = Buffer.concat([...this.#rest, bytes.subarray(start, end)]);
      this.#rest = [];
      this.#restBytes = 0;
      start = end + 1;
      if (line.length > 0) yield eventOf(line.toString('utf8'));
    }
    this.#rest.push(bytes.subarray(start));
    this.#restBytes += bytes.length - start;
    if (this.#restBytes > EVENT_LINE_BYTES_MAX) {
      throw foreign(Buffer.concat(this.#rest).toString('latin1', 0, SHOWN_CHARACTERS));
    }
  }
}

function eventOf(line: string): ReceiverEvent {
  try {
    const json = asObject(JSON.parse(line), 'event');
    switch (text(json, 'event')) {
      case 'hello':
        return { event: 'hello', copy: json.copy === null ? null : copyOf(json.copy) };
      case 'confirmed':
        return { event: 'confirmed', place: placeFromJson(json, 'confirmed') };
      default:
        return { event: 'other', json };
    }
  } catch (error) {
    if (!(error instanceof FieldError) && !(error instanceof SyntaxError)) throw error;
    throw foreign(line);
  }
}

function copyOf(value: unknown): Copy {
  const json = asObject(value, 'copy');
  const baseline = text(json, 'baseline');
  if (baseline !== 'running' && baseline !== 'complete') throw new FieldError('baseline');
  return {
    filesystem: text(json, 'filesystem'),
    feed: feedOf(json),
    baseline,
    place: placeFromJson(json, 'copy'),
  };
}

function feedOf({ feed }: Json): number {
  if (typeof feed === 'number' && Number.isSafeInteger(feed)) return feed;
  throw new FieldError('feed');
}

const SHOWN_CHARACTERS = 100;

function foreign(line: string): SendError {
  const shown = JSON.stringify(line.slice(0, SHOWN_CHARACTERS));
  return new SendError(
    'receiver',
    `the receiving command printed ${shown}: its standard output must be that of feedfs receive`,
  );
}
