/** Random counters, and random states of a recovery. */
import fc from 'fast-check';
import type { RemoteResult } from '../../../../src/rpc/remote.js';
import { bool, float, hex32, list, maybe, record, time, uint, words } from './values.js';

const histogram = record({
  count: float,
  sum: float,
  max: float,
  below: list(fc.tuple(float, float)),
});

export const stats = record({
  commits: record({
    commits: float,
    changes: float,
    flushes: float,
    failures: float,
    uncommitted: float,
    us: histogram,
    flushUs: histogram,
    batch: histogram,
  }),
  log: record({ nextIndex: uint, nextOffset: uint }),
  purge: record({ freedBlocks: float, pending: bool }),
  objects: record({ inodes: float, orphans: float }),
  feeds: list(
    record({
      id: uint,
      name: words,
      state: fc.constantFrom('active', 'expired'),
      owedBytes: float,
      owedRecords: float,
      oldestSeconds: fc.option(float, { nil: null }),
    }),
  ),
  events: list(fc.tuple(words, float)).map((pairs) => Object.fromEntries(pairs)),
});

export const recoveryStatus = record({
  state: fc.constantFrom('inactive', 'waiting', 'opens', 'replays', 'locks', 'complete'),
  boot: maybe(hex32),
  started: maybe(time),
  durationSec: float,
  leftSec: maybe(float),
  windowSec: float,
  clients: list(
    record({
      client: hex32,
      name: words,
      state: fc.constantFrom('missing', 'opens', 'done', 'connected', 'disconnected', 'evicted'),
      reason: maybe(words),
    }),
  ),
  reopened: uint,
  replayed: uint,
  refused: uint,
  committed: uint,
  last: uint,
}) as unknown as fc.Arbitrary<RemoteResult<'recovery'>>;
