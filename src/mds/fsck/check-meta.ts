/** Table `meta`: the counters that the other checks compare with. */

import { ZERO_TIME } from '../../base/time.js';
import { decodeLogEnd, decodeSpans, type LogEnd } from '../../feed/log-end.js';
import { LOG_START } from '../../feed/position.js';
import type { StoredSpan } from '../../feed/span.js';
import type { Inspection } from '../../store/inspection.js';
import { decodeFormat } from '../../store/upgrade.js';
import { decodeReplicaRow } from '../replica-row.js';
import type { Findings } from './findings.js';
import { COUNTERS, type CounterName, type Mend } from './mend.js';

export interface Meta {
  /** Of the tables, if they say it; those of format 1 do not. */
  readonly format: number | undefined;
  /** FIDs below this may have been handed out. */
  readonly fidLimit: number | undefined;
  readonly inodeCount: number | undefined;
  readonly nextFeedId: number | undefined;
  /** The spans of the log, the newest last; undefined if where they end is damaged. */
  readonly spans: readonly StoredSpan[] | undefined;
  /** Keys that are there, damaged or not. */
  readonly present: ReadonlySet<string>;
}

const U64_KEYS = ['fid.reserved', 'stats', 'transno'];

export function checkMeta(store: Inspection, findings: Findings): Meta {
  const values = new Map<string, Buffer>();
  const present = new Set<string>();
  for (const { key, value } of store.entries('meta')) {
    const name = key.toString('latin1');
    findings.saw('counters');
    present.add(name);
    if (value === undefined || !isCounter(name, value)) {
      findings.add(
        'damaged-value',
        `meta ${name}`,
        'its checksum or value is wrong',
        ...mends(name),
      );
    } else values.set(name, Buffer.from(value));
  }
  const number = (name: string): number | undefined => {
    const value = values.get(name);
    return value === undefined ? undefined : Number(value.readBigUInt64LE(0));
  };
  const format = values.get('format');
  return {
    format: format === undefined ? undefined : decodeFormat(format),
    fidLimit: number('fid.reserved'),
    inodeCount: number('stats'),
    nextFeedId: values.get('feed.next')?.readUInt32LE(0),
    spans: spansOf(values, present),
    present,
  };
}

/** A counter whose absence would let something be given out twice. */
export function checkPresent(
  { present }: Meta,
  name: CounterName,
  needed: boolean,
  findings: Findings,
): void {
  if (!needed || present.has(name)) return;
  findings.add('damaged-value', `meta ${name}`, 'is missing', { do: 'counter', name });
}

function mends(name: string): readonly Mend[] {
  if (name === 'format') return [{ do: 'open' }];
  // An ordinary filesystem is left: what it is a copy of, and how far, nothing else tells.
  if (name === 'replica')
    return [{ do: 'remove', table: 'meta', key: Buffer.from(name, 'latin1') }];
  const counter = COUNTERS.find((known) => known === name);
  return counter === undefined ? [] : [{ do: 'counter', name: counter }];
}

/** Of the right length, and of numbers that can be. */
function isCounter(name: string, value: Buffer): boolean {
  if (U64_KEYS.includes(name)) {
    return value.length === 8 && Number.isSafeInteger(Number(value.readBigUInt64LE(0)));
  }
  if (name === 'replica') return decodeReplicaRow(value) !== undefined;
  if (name === 'feed.next' || name === 'format') return value.length === 4;
  if (name !== 'log.end') return true;
  const end = logEnd(value)?.end;
  return end !== undefined && [end.offset, end.index, end.text].every(Number.isSafeInteger);
}

function spansOf(
  values: ReadonlyMap<string, Buffer>,
  present: ReadonlySet<string>,
): readonly StoredSpan[] | undefined {
  const value = values.get('log.end');
  const none: LogEnd = { end: LOG_START, epoch: 0, time: ZERO_TIME };
  const end = value === undefined ? (present.has('log.end') ? undefined : none) : logEnd(value);
  try {
    return end === undefined ? undefined : decodeSpans(values.get('log.spans'), end);
  } catch {
    // The list has had its finding, unless it lacks the epoch in which the log ends.
    return undefined;
  }
}

function logEnd(value: Buffer): LogEnd | undefined {
  try {
    return decodeLogEnd(value);
  } catch {
    return undefined;
  }
}
