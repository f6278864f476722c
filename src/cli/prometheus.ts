/**
 * Statistics in Prometheus' text format, version 0.0.4: one family after the other, each
 * with its type, its help, and its samples. Times are in seconds, as is usual there.
 */
import type { HistogramSnapshot } from '../base/histogram.js';
import type { Stats } from '../rpc/messages.js';

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

type Labels = Readonly<Record<string, string>>;
type Kind = 'counter' | 'gauge' | 'histogram';

class Exposition {
  text = '';

  family(name: string, kind: Kind, help: string): void {
    this.text += `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`;
  }

  sample(name: string, labels: Labels, value: number): void {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
    this.text += `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
  }

  single(name: string, kind: Kind, help: string, value: number): void {
    this.family(name, kind, help);
    this.sample(name, {}, value);
  }

  /** `unit`: what one of the histogram's values is worth. */
  histogram(name: string, labels: Labels, { count, sum, below }: HistogramSnapshot, unit: number) {
    // Always the same ones: a series must not begin when a value that large is first seen.
    for (let power = 0; power <= LAST_BOUND_POWER; power++) {
      // Bounds are inclusive here: the largest whole value that is below ours.
      const le = `${rounded((2 ** power - 1) * unit)}`;
      this.sample(`${name}_bucket`, { ...labels, le }, below[power]?.[1] ?? count);
    }
    this.sample(`${name}_bucket`, { ...labels, le: '+Inf' }, count);
    this.sample(`${name}_sum`, labels, rounded(sum * unit));
    this.sample(`${name}_count`, labels, count);
  }
}

const MICROSECOND = 1e-6;

/** The largest bound but infinity is 2 to this, less one: 16.8 s, and more changes than a commit has. */
const LAST_BOUND_POWER = 24;

function rounded(value: number): number {
  return Number(value.toPrecision(12));
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

export function renderPrometheus({ server, client }: Stats): string {
  const out = new Exposition();
  renderOperations(out, client);
  renderCommits(out, server);
  renderFeeds(out, server);
  out.single('feedfs_log_records_total', 'counter', 'Records logged.', server.log.nextIndex - 1);
  out.single(
    'feedfs_purged_blocks_total',
    'counter',
    'Blocks of the log that were freed.',
    server.purge.freedBlocks,
  );
  out.single('feedfs_inodes', 'gauge', 'Objects in the filesystem.', server.objects.inodes);
  out.single(
    'feedfs_orphans',
    'gauge',
    'Objects without a name that are still open.',
    server.objects.orphans,
  );
  out.family('feedfs_events_total', 'counter', 'What was refused or lost, by kind.');
  for (const [event, count] of Object.entries({ ...server.events, ...client.events })) {
    out.sample('feedfs_events_total', { event }, count);
  }
  return out.text;
}

function renderOperations(out: Exposition, client: Stats['client']): void {
  const seconds = 'feedfs_operation_seconds';
  out.family(seconds, 'histogram', 'Time that the handlers of requests took.');
  for (const { operation, us } of client.operations) {
    out.histogram(seconds, { operation }, us, MICROSECOND);
  }
  const waited = 'feedfs_operation_wait_seconds';
  out.family(waited, 'histogram', 'Time that requests waited which were not answered at once.');
  for (const { operation, waitedUs } of client.operations) {
    if (waitedUs.count > 0) out.histogram(waited, { operation }, waitedUs, MICROSECOND);
  }
  out.single('feedfs_waiting_requests', 'gauge', 'Requests that wait now.', client.waiting);
  out.single('feedfs_wakeups_total', 'counter', 'Pollers that were woken.', client.wakeups);
  out.single(
    'feedfs_invalidations_total',
    'counter',
    'Invalidations that the kernel was sent.',
    client.invalidations,
  );
}

function renderCommits(out: Exposition, { commits }: Stats['server']): void {
  out.family('feedfs_commit_seconds', 'histogram', 'Time of commits to the page cache.');
  out.histogram('feedfs_commit_seconds', {}, commits.us, MICROSECOND);
  out.family('feedfs_flush_seconds', 'histogram', 'Time from a commit until it is on disk.');
  out.histogram('feedfs_flush_seconds', {}, commits.flushUs, MICROSECOND);
  out.family('feedfs_commit_changes', 'histogram', 'Changes in one commit.');
  out.histogram('feedfs_commit_changes', {}, commits.batch, 1);
  out.single(
    'feedfs_commit_failures_total',
    'counter',
    'Commits or flushes that failed.',
    commits.failures,
  );
  out.single(
    'feedfs_uncommitted_changes',
    'gauge',
    'Changes that are in memory only.',
    commits.uncommitted,
  );
}

function renderFeeds(out: Exposition, { feeds }: Stats['server']): void {
  out.family('feedfs_feed_owed_bytes', 'gauge', 'Bytes that the consumer has not acknowledged.');
  for (const { name, owedBytes } of feeds) {
    out.sample('feedfs_feed_owed_bytes', { feed: name }, owedBytes);
  }
  out.family('feedfs_feed_owed_records', 'gauge', 'Records that the consumer still owes.');
  for (const { name, owedRecords } of feeds) {
    out.sample('feedfs_feed_owed_records', { feed: name }, owedRecords);
  }
  out.family('feedfs_feed_oldest_seconds', 'gauge', 'Age of the oldest of these records.');
  for (const { name, oldestSeconds } of feeds) {
    out.sample('feedfs_feed_oldest_seconds', { feed: name }, oldestSeconds ?? 0);
  }
  out.family('feedfs_feed_expired', 'gauge', '1 for a feed that expired.');
  for (const { name, state } of feeds) {
    out.sample('feedfs_feed_expired', { feed: name }, state === 'expired' ? 1 : 0);
  }
}
