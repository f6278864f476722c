/** Where statistics are served, and how they read there. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Histogram } from '../../src/base/histogram.js';
import { CliError } from '../../src/cli/cli-error.js';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { parseMetricsAddress } from '../../src/cli/metrics-address.js';
import { renderPrometheus } from '../../src/cli/prometheus.js';
import type { Stats } from '../../src/rpc/messages.js';
import { parseExposition } from '../support/exposition.js';

test('a port is on loopback, a host has to be named', () => {
  const tcp = (host: string, port: number) => ({ kind: 'tcp', host, port });
  assert.equal(parseMetricsAddress('9464'), tcp('127.0.0.1', 9464));
  assert.equal(parseMetricsAddress('0.0.0.0:1'), tcp('0.0.0.0', 1));
  assert.equal(parseMetricsAddress('localhost:65535'), tcp('localhost', 65_535));
  assert.equal(parseMetricsAddress('[::1]:9464'), tcp('::1', 9464));
  assert.equal(parseMetricsAddress('unix:/run/x.sock'), { kind: 'unix', path: '/run/x.sock' });
});

for (const text of [
  ...['', '0', '65536', 'x', '127.0.0.1', '127.0.0.1:', ':9464', 'example.org:9464', '-1'],
  ...['unix:', 'unix:relative', `unix:/${'a'.repeat(107)}`, '[::1:9464', '9464:1:2'],
]) {
  test(`refused: "${text.slice(0, 20)}"`, () => {
    try {
      parseMetricsAddress(text);
      assert.unreachable();
    } catch (error) {
      assert.instance(error, CliError);
      assert.is((error as CliError).exitCode, ExitCode.USAGE);
    }
  });
}

function histogram(...values: number[]) {
  const made = new Histogram();
  for (const value of values) made.observe(value);
  return made.snapshot();
}

const STATS: Stats = {
  server: {
    commits: {
      commits: 2,
      changes: 7,
      flushes: 1,
      failures: 3,
      uncommitted: 4,
      us: histogram(100, 300),
      flushUs: histogram(2000),
      batch: histogram(2, 5),
    },
    log: { nextIndex: 11, nextOffset: 4096 },
    purge: { freedBlocks: 9, pending: true },
    objects: { inodes: 12, orphans: 1 },
    feeds: [
      {
        id: 1,
        name: 'a "quoted" \\ name',
        state: 'expired',
        owedBytes: 5,
        owedRecords: 6,
        oldestSeconds: null,
      },
    ],
    events: { changes_blocked: 8 },
  },
  client: {
    operations: [{ operation: 'lookup', us: histogram(1, 7), waitedUs: histogram() }],
    events: { denied_opens_unclear: 2 },
    waiting: 2,
    wakeups: 13,
    invalidations: 14,
  },
};

test('every number has a family with a type, and reads as it was counted', () => {
  const { samples, types } = parseExposition(renderPrometheus(STATS));
  const value = (name: string, labels: Record<string, string> = {}): number | undefined =>
    samples.find(
      (one) => one.name === name && JSON.stringify(one.labels) === JSON.stringify(labels),
    )?.value;
  const feed = { feed: 'a "quoted" \\ name' };
  assert.is(value('feedfs_feed_owed_bytes', feed), 5);
  assert.is(value('feedfs_feed_owed_records', feed), 6);
  assert.is(value('feedfs_feed_oldest_seconds', feed), 0);
  assert.is(value('feedfs_feed_expired', feed), 1);
  assert.is(value('feedfs_log_records_total'), 10);
  assert.is(value('feedfs_wakeups_total'), 13);
  assert.is(value('feedfs_events_total', { event: 'changes_blocked' }), 8);
  assert.is(value('feedfs_commit_failures_total'), 3);
  assert.is(value('feedfs_operation_seconds_count', { operation: 'lookup' }), 2);
  assert.is(value('feedfs_operation_seconds_sum', { operation: 'lookup' }), 0.000008);
  // 1 us is below 2, so it is at most 1 us.
  assert.is(value('feedfs_operation_seconds_bucket', { operation: 'lookup', le: '0.000001' }), 1);
  assert.is(value('feedfs_operation_seconds_bucket', { operation: 'lookup', le: '+Inf' }), 2);
  assert.is(value('feedfs_flush_seconds_bucket', { le: '0.001023' }), 0);
  assert.is(value('feedfs_flush_seconds_bucket', { le: '0.002047' }), 1);
  assert.is(value('feedfs_commit_changes_bucket', { le: '3' }), 1);
  assert.is(types.get('feedfs_operation_seconds'), 'histogram');
  assert.is(types.get('feedfs_feed_owed_bytes'), 'gauge');
});

test('the bounds of a histogram are always the same ones, and only infinity has all values', () => {
  const bounds = (...values: number[]): [string | undefined, number][] => {
    const commits = { ...STATS.server.commits, us: histogram(...values) };
    const text = renderPrometheus({ ...STATS, server: { ...STATS.server, commits } });
    return parseExposition(text)
      .samples.filter(({ name }) => name === 'feedfs_commit_seconds_bucket')
      .map(({ labels, value }) => [labels.le, value]);
  };
  const names = bounds().map(([le]) => le);
  assert.equal(names.slice(0, 3), ['0', '0.000001', '0.000003']);
  assert.equal(names.slice(-2), ['16.777215', '+Inf']);
  const hour = 3600 * 1e6;
  for (const values of [[0], [5], [2 ** 24 - 1], [2 ** 24, 3], [2 * hour, 1]]) {
    const found = bounds(...values);
    assert.equal(
      found.map(([le]) => le),
      names,
    );
    for (const [le, count] of found) {
      const below = values.filter((value) => le === '+Inf' || value <= Number(le) * 1e6);
      assert.is(count, below.length, `${values} below ${le}`);
    }
  }
});

test.run();
