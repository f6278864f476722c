/** The description of a stream as the JSON of its header frame. */
import { asObject, decimal, FieldError, integer, type Json, text } from '../../consumer/json.js';
import type { LogPlace } from '../../rpc/baseline.js';
import type { StreamHeader } from './frame.js';

/** A place as JSON: 64-bit quantities as decimal strings. */
export function placeToJson({ epoch, offset, index }: LogPlace): Json {
  return { epoch, offset: String(offset), index: String(index) };
}

/** Throws FieldError. */
export function placeFromJson(value: unknown, what: string): LogPlace {
  const json = asObject(value, what);
  const place = {
    epoch: integer(json, 'epoch'),
    offset: decimal(json, 'offset'),
    index: decimal(json, 'index'),
  };
  if (place.epoch < 0 || place.offset < 0 || place.index < 0) {
    throw new FieldError(`member "${what}" is negative`);
  }
  return place;
}

/** All but the version, which stands before it. */
export function headerToJson({ filesystem, feed, kind, from, origin, time }: StreamHeader): string {
  return JSON.stringify({
    filesystem,
    feed,
    kind,
    from: from === undefined ? null : placeToJson(from),
    origin,
    time,
  });
}

const IDENTITY = /^[0-9a-f]{1,64}$/;
const NANOSECONDS = /^-?[0-9]{1,19}$/;

/** Throws FieldError or SyntaxError for anything that is not such a description. */
export function headerFromJson(content: string, version: number): StreamHeader {
  const json = asObject(JSON.parse(content), 'header');
  const feed = asObject(json.feed, 'feed');
  const origin = asObject(json.origin, 'origin');
  const header: StreamHeader = {
    version,
    filesystem: matching(json, 'filesystem', IDENTITY),
    feed: { id: integer(feed, 'id'), name: text(feed, 'name') },
    kind: kindOf(json),
    from: json.from === null ? undefined : placeFromJson(json.from, 'from'),
    origin: {
      bootId: text(origin, 'bootId'),
      directory: text(origin, 'directory'),
      host: text(origin, 'host'),
    },
    time: matching(json, 'time', NANOSECONDS),
  };
  if ((header.kind === 'records') !== (header.from !== undefined)) {
    throw new FieldError(`member "from" does not fit a stream of kind ${header.kind}`);
  }
  return header;
}

function kindOf(json: Json): StreamHeader['kind'] {
  const kind = text(json, 'kind');
  if (kind === 'baseline' || kind === 'records') return kind;
  throw new FieldError('member "kind" is neither baseline nor records');
}

function matching(json: Json, key: string, pattern: RegExp): string {
  const value = text(json, key);
  if (!pattern.test(value)) throw new FieldError(`member "${key}" is not what it should be`);
  return value;
}
