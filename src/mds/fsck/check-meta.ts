/** Table `meta`: the counters that the other checks compare with. */
import { decodeLogEnd } from '../../feed/log-end.js';
import { LOG_START, type Position } from '../../feed/position.js';
import type { Inspection } from '../../store/inspection.js';
import type { Findings } from './findings.js';

export interface Meta {
  /** FIDs below this may have been handed out. */
  readonly fidLimit: number | undefined;
  readonly inodeCount: number | undefined;
  readonly nextFeedId: number | undefined;
  /** Where the log ends; undefined if that is damaged. */
  readonly logEnd: Position | undefined;
}

const U64_KEYS = ['fid.reserved', 'stats', 'transno'];

export function checkMeta(store: Inspection, findings: Findings): Meta {
  const values = new Map<string, Buffer>();
  const damaged = new Set<string>();
  for (const { key, value } of store.entries('meta')) {
    const name = key.toString('latin1');
    findings.saw('counters');
    if (value === undefined || !hasRightLength(name, value)) {
      damaged.add(name);
      findings.add('damaged-value', `meta ${name}`, 'its checksum or length is wrong');
    } else values.set(name, Buffer.from(value));
  }
  const number = (name: string): number | undefined => {
    const value = values.get(name);
    return value === undefined ? undefined : Number(value.readBigUInt64LE(0));
  };
  const end = values.get('log.end');
  return {
    fidLimit: number('fid.reserved'),
    inodeCount: number('stats'),
    nextFeedId: values.get('feed.next')?.readUInt32LE(0),
    logEnd: end === undefined ? (damaged.has('log.end') ? undefined : LOG_START) : logEnd(end),
  };
}

function hasRightLength(name: string, value: Buffer): boolean {
  if (U64_KEYS.includes(name)) return value.length === 8;
  if (name === 'feed.next') return value.length === 4;
  return true;
}

function logEnd(value: Buffer): Position | undefined {
  try {
    return decodeLogEnd(value).end;
  } catch {
    return undefined;
  }
}
