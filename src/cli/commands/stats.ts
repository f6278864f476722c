import * as path from 'node:path';
import { percentile } from '../../base/histogram.js';
import { readTextFile } from '../../consumer/text-file.js';
import type { Stats } from '../../rpc/messages.js';
import type { Arguments } from '../arguments.js';
import { usageError } from '../cli-error.js';
import type { Command, Context } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { JSON_OPTION, MOUNT_OPTION } from '../feed-argument.js';
import { formatAge, formatBytes, formatDuration, formatName } from '../format.js';
import { findMount } from '../mounts.js';
import type { Output } from '../output.js';
import { table } from '../output.js';
import { renderPrometheus } from '../prometheus.js';

export const statsCommand: Command = {
  name: 'stats',
  summary: 'Show what a mount counts about itself.',
  positionals: [],
  options: [
    MOUNT_OPTION,
    JSON_OPTION,
    { name: 'prometheus', help: "print Prometheus' text format" },
  ],
  notes: [
    'Operations are in the order of the time that they took in all, the longest first.',
    'Counted since the daemon started. Percentiles are upper bounds, of powers of two.',
    'The same as: cat MNT/.lustre/stats; over HTTP: mount -o metrics=PORT, GET /metrics.',
  ],
  run,
};

async function run(args: Arguments, context: Context): Promise<ExitCode> {
  const { output } = context;
  if (args.has('json') && args.has('prometheus')) {
    throw usageError('--json and --prometheus exclude each other');
  }
  const mount = findMount(args.value('mount'), context);
  const text = await readTextFile(path.join(mount, '.lustre', 'stats'));
  const stats = JSON.parse(text) as Stats;
  if (args.has('json')) await output.json(stats);
  else if (args.has('prometheus')) await output.write(renderPrometheus(stats));
  else await print(stats, output);
  return ExitCode.OK;
}

async function print({ server, client }: Stats, output: Output): Promise<void> {
  await section(output, operationRows(client), new Set([1, 2, 3, 4, 5]));
  const { commits } = server;
  await section(
    output,
    [
      ['COMMITS', 'CHANGES', 'BATCH p50', 'p99', 'COMMIT p99', 'ON DISK p50', 'p99', 'FAILED'],
      [
        `${commits.commits}`,
        `${commits.changes}`,
        `${percentile(commits.batch, 0.5)}`,
        `${percentile(commits.batch, 0.99)}`,
        formatDuration(percentile(commits.us, 0.99)),
        formatDuration(percentile(commits.flushUs, 0.5)),
        formatDuration(percentile(commits.flushUs, 0.99)),
        `${commits.failures}`,
      ],
    ],
    new Set([0, 1, 2, 3, 4, 5, 6, 7]),
  );
  if (server.feeds.length > 0) await section(output, feedRows(server), new Set([1, 2, 3]));
  await section(
    output,
    [
      ['OBJECTS', 'ORPHANS', 'RECORDS', 'PURGED', 'WAITING', 'WOKEN', 'INVALIDATED'],
      [
        server.objects.inodes,
        server.objects.orphans,
        server.log.nextIndex - 1,
        server.purge.freedBlocks,
        client.waiting,
        client.wakeups,
        client.invalidations,
      ].map((value) => `${value}`),
    ],
    new Set([0, 1, 2, 3, 4, 5, 6]),
  );
  const events = Object.entries({ ...server.events, ...client.events }).filter(
    ([, count]) => count > 0,
  );
  for (const [event, count] of events) await output.line(`${event.replaceAll('_', ' ')}: ${count}`);
}

async function section(
  output: Output,
  rows: readonly (readonly string[])[],
  right: ReadonlySet<number>,
): Promise<void> {
  const [head = '', ...body] = table(rows, right);
  for (const line of [output.bold(head), ...body, '']) await output.line(line);
}

function operationRows({ operations }: Stats['client']): string[][] {
  const rows = operations
    .toSorted((a, b) => b.us.sum - a.us.sum)
    .map(({ operation, us }) => [
      operation,
      `${us.count}`,
      formatDuration(us.count === 0 ? 0 : us.sum / us.count),
      formatDuration(percentile(us, 0.5)),
      formatDuration(percentile(us, 0.99)),
      formatDuration(us.max),
    ]);
  return [['OPERATION', 'COUNT', 'MEAN', 'p50', 'p99', 'MAX'], ...rows];
}

function feedRows({ feeds }: Stats['server']): string[][] {
  const rows = feeds.map(({ name, owedRecords, owedBytes, oldestSeconds, state }) => [
    formatName(name),
    `${owedRecords}`,
    formatBytes(owedBytes),
    oldestSeconds === null ? '-' : formatAge(oldestSeconds),
    state,
  ]);
  return [['FEED', 'RECORDS', 'BYTES', 'AGE', 'STATE'], ...rows];
}
