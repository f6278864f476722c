import { FeedError } from '../../consumer/errors.js';
import type { Feed, ReadFeedOptions, StartPosition } from '../../consumer/feed.js';
import type { Acknowledgeable } from '../../consumer/types.js';
import { type Arguments, parseInteger } from '../arguments.js';
import { usageError } from '../cli-error.js';
import type { Command, Context } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { FEED_POSITIONAL, JSON_OPTION, MOUNT_OPTION, openNamedFeed } from '../feed-argument.js';
import { formatRecord } from '../format.js';
import type { Output } from '../output.js';
import { watchReader } from '../watch-reader.js';

export const tailCommand: Command = {
  name: 'tail',
  summary: 'Print the records of a feed and follow it, from the first record that it owes.',
  positionals: [FEED_POSITIONAL],
  options: [
    {
      name: 'from',
      value: 'WHERE',
      help: 'first (default), end, a byte offset of stream, or #INDEX',
    },
    { name: 'lines', short: 'n', value: 'N', help: 'from the last N owed records' },
    { name: 'no-follow', help: 'stop at the end instead of waiting for more' },
    { name: 'ack', help: 'acknowledge what was printed' },
    { ...JSON_OPTION, help: 'print the lines of stream.ndjson as they are' },
    { name: 'raw', help: 'print the bytes of stream as they are' },
    MOUNT_OPTION,
  ],
  notes: [
    'A line has index, time of day, operation, names and FIDs. With --ack, what was written to standard output is acknowledged, and what the reader of a pipe did not take is not.',
    'The same as: tail -n +1 -f MNT/.lustre/feeds/FEED/stream.ndjson',
  ],
  run,
};

async function run(args: Arguments, context: Context): Promise<ExitCode> {
  if (args.has('json') && args.has('raw')) throw usageError('--json and --raw exclude each other');
  const from = startPosition(args);
  const feed = await openNamedFeed(args, context);
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, context.output.closed]);
  const follow = !args.has('no-follow');
  if (follow) watchReader(stop);
  const printing: Printing = { feed, output: context.output, acknowledge: args.has('ack') };
  try {
    const options = { from, follow, signal };
    if (args.has('raw')) await printRaw(printing, options);
    else if (args.has('json')) await pastDamage(printing, options, printLines);
    else await pastDamage(printing, options, printRecords);
  } finally {
    stop.abort();
    feed.close();
  }
  return ExitCode.OK;
}

interface Printing {
  readonly feed: Feed;
  readonly output: Output;
  readonly acknowledge: boolean;
}

function startPosition(args: Arguments): StartPosition {
  const last = args.integer('lines', 0);
  const from = args.value('from');
  if (last !== undefined && from !== undefined)
    throw usageError('--from and -n exclude each other');
  if (last !== undefined) return { last };
  if (from === undefined || from === 'first') return 'first';
  if (from === 'end') return 'end';
  const maximum = Number.MAX_SAFE_INTEGER;
  if (from.startsWith('#')) return { index: parseInteger(from.slice(1), '--from #', 1, maximum) };
  return { offset: parseInteger(from, '--from', 0, maximum) };
}

type Print = (printing: Printing, options: ReadFeedOptions) => Promise<void>;

/** Damaged records are told of on standard error and passed over; the rest goes on. */
async function pastDamage(
  printing: Printing,
  options: ReadFeedOptions,
  print: Print,
): Promise<void> {
  const { feed, output } = printing;
  let from = options.from ?? 'first';
  for (;;) {
    try {
      return await print(printing, { ...options, from });
    } catch (error) {
      if (!(error instanceof FeedError) || error.code !== 'EIO') throw error;
      if (error.position === undefined) throw error;
      const text = await feed.afterDamage(error.position);
      if (text <= error.position) throw error;
      output.message(
        `damaged records at bytes ${error.position} to ${text} of stream.ndjson are left out`,
      );
      from = { text };
    }
  }
}

async function printRecords(printing: Printing, options: ReadFeedOptions): Promise<void> {
  const done = acknowledger(printing);
  for await (const records of printing.feed.batches(options)) {
    await printing.output.write(records.map((record) => `${formatRecord(record)}\n`).join(''));
    await done(records);
  }
}

async function printLines(printing: Printing, options: ReadFeedOptions): Promise<void> {
  const done = acknowledger(printing);
  for await (const lines of printing.feed.lines(options)) {
    await printing.output.write(lines.map(({ line }) => `${line}\n`).join(''));
    await done(lines);
  }
}

/** A record cut by the end of a chunk is acknowledged with the next one: ranges start where printing did. */
async function printRaw(printing: Printing, options: ReadFeedOptions): Promise<void> {
  let start: number | undefined;
  for await (const { offset, bytes } of printing.feed.raw(options)) {
    start ??= offset;
    await printing.output.write(bytes);
    if (!printing.acknowledge) continue;
    await printing.feed.acknowledgeLog({ offset: start, length: offset + bytes.length - start });
  }
}

type Done = (printed: readonly Acknowledgeable[]) => Promise<void>;

function acknowledger({ feed, acknowledge }: Printing): Done {
  return async (printed) => {
    if (acknowledge) await feed.acknowledge(printed);
  };
}
