/** The text of `.lustre/replica` as what it says. */
import type { Timespec } from '../../../base/time.js';
import { asObject, FieldError, flag, integer, text } from '../../../consumer/json.js';
import type { ReplicaState } from '../../../rpc/replica.js';
import { StreamRefused } from '../refusal.js';

/** StreamRefused for anything that a feedfs of this version does not say. */
export function parseReplicaState(content: string): ReplicaState {
  try {
    const json = asObject(JSON.parse(content), 'replica');
    return {
      filesystem: text(json, 'filesystem'),
      empty: flag(json, 'empty'),
      source: json.source === undefined ? undefined : source(json.source),
    };
  } catch (error) {
    if (!(error instanceof FieldError) && !(error instanceof SyntaxError)) throw error;
    throw new StreamRefused(`the target does not say what it is a copy of: ${error.message}`, {
      wayOut: 'mount it with this version of feedfs',
      cause: error,
    });
  }
}

function source(value: unknown): NonNullable<ReplicaState['source']> {
  const json = asObject(value, 'source');
  const place = asObject(json.place, 'place');
  const baseline = text(json, 'baseline');
  if (baseline !== 'running' && baseline !== 'complete') {
    throw new FieldError('member "baseline" is neither running nor complete');
  }
  return {
    filesystem: text(json, 'filesystem'),
    feed: integer(json, 'feed'),
    baseline,
    place: {
      epoch: integer(place, 'epoch'),
      offset: integer(place, 'offset'),
      index: integer(place, 'index'),
    },
    applied: integer(json, 'applied'),
    time: json.time === undefined ? undefined : time(json.time),
  };
}

function time(value: unknown): Timespec {
  const json = asObject(value, 'time');
  return { sec: integer(json, 'sec'), nsec: integer(json, 'nsec') };
}
