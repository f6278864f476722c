/** `feedfs send`: finds out where to begin, sends, and looks after what becomes of it. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import createDebug from 'debug';
import { BaselineSource, openBaselineFile } from '../bridges/send/baseline-source.js';
import { FileContents, MountedFiles } from '../bridges/send/file-contents.js';
import { RecordSource } from '../bridges/send/record-source.js';
import { SendError, type SendErrorKind } from '../bridges/send/send-error.js';
import { type SendEnd, Sender, type SendPlan } from '../bridges/send/sender.js';
import { chooseStart, confirmedByCopy, type Start, type Wish } from '../bridges/send/start.js';
import { StreamWriter } from '../bridges/stream/writer.js';
import { FeedError } from '../consumer/errors.js';
import type { Feed } from '../consumer/feed.js';
import { FeedFile } from '../consumer/feed-file.js';
import { expiredError } from '../consumer/info.js';
import { syncMount } from '../consumer/sync-mount.js';
import type { FeedInfo } from '../consumer/types.js';
import type { LogPlace } from '../rpc/baseline.js';
import { type Arguments, parseInteger } from './arguments.js';
import { CliError, usageError } from './cli-error.js';
import type { Context } from './command.js';
import { ExitCode } from './exit-codes.js';
import { feedPlace, openNamedFeed } from './feed-argument.js';
import { type Destination, openDestination } from './send-destination.js';
import { helloOf } from './send-hello.js';
import { SendKeeper } from './send-keeper.js';
import { sendProgress } from './send-progress.js';
import { StopSignals } from './stop-signals.js';

const debug = createDebug('feedfs:send');

/** Where a kernel says which of its starts this is. */
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

export async function send(args: Arguments, context: Context): Promise<ExitCode> {
  const wish = wishOf(args);
  if (args.has('ack') && args.value('to') !== undefined) {
    throw usageError(
      '--ack and --to exclude each other: what the command confirms is acknowledged',
    );
  }
  const { mount } = feedPlace(args, context);
  const feed = await openNamedFeed(args, context);
  const stop = new StopSignals();
  try {
    await activeInfo(feed);
    const acknowledge = (place: LogPlace): Promise<void> => acknowledgeBefore(feed, place);
    const to = openDestination(args.value('to'), context.output, acknowledge);
    try {
      const job: Job = { args, context, mount, feed, to, stop };
      return await begin(job, wish);
    } catch (error) {
      const why = await to.abandon(error);
      // Ctrl-C reaches the command, too, which may be gone before the end of the stream is.
      if (stop.isInterrupted && hasReceiverEnded(error)) return ExitCode.INTERRUPTED;
      throw explained(why, feed);
    }
  } catch (error) {
    throw explained(error, feed);
  } finally {
    stop.dispose();
    feed.close();
  }
}

interface Job {
  readonly args: Arguments;
  readonly context: Context;
  readonly mount: string;
  readonly feed: Feed;
  readonly to: Destination;
  readonly stop: StopSignals;
}

function wishOf(args: Arguments): Wish {
  const from = args.value('from');
  if (args.has('baseline')) {
    if (from !== undefined) throw usageError('--baseline and --from exclude each other');
    return 'baseline';
  }
  if (from === undefined) return 'any';
  if (from === 'last') return 'last';
  return { index: parseInteger(from, '--from', 1, Number.MAX_SAFE_INTEGER) };
}

/** Throws FeedError EXPIRED. */
async function activeInfo(feed: Feed): Promise<FeedInfo> {
  const info = await feed.info();
  if (info.expired !== undefined) throw expiredError(info, feed.path);
  return info;
}

async function begin(job: Job, wish: Wish): Promise<ExitCode> {
  const { args, context, mount, feed, to, stop } = job;
  const copy = await helloOf({
    copy: to.copy(),
    stop: stop.signal,
    after,
    tell: (message) => context.output.message(message),
  });
  // What was written to a file that is still open is part of what there is.
  await syncMount(mount);
  const info = await activeInfo(feed);
  const acknowledge = args.has('ack')
    ? (place: LogPlace) => acknowledgeBefore(feed, place)
    : undefined;
  const keeper = new SendKeeper({ info, to, env: context.env, acknowledge });
  const kept = wish === 'last' ? keeper.kept() : undefined;
  const start = chooseStart({ wish, standing: info, copy, kept });
  debug('copy %o, start %o', copy, start);
  const confirmed = confirmedByCopy(info, copy);
  // Not what was asked for from an earlier record on.
  if (confirmed !== undefined && start.kind === 'records' && start.from === confirmed) {
    await acknowledgeBefore(feed, confirmed);
  }
  if (start.kind === 'baseline' && start.note !== undefined) context.output.message(start.note);
  const baseline = start.kind === 'baseline' ? await openBaseline(feed) : undefined;
  try {
    const from = baseline?.head.place ?? (await placeOf(start, feed, info));
    if (from.epoch !== info.epoch) throw epochError(info);
    return await run(job, keeper, {
      header: {
        filesystem: info.filesystem,
        feed: { id: info.id, name: info.name },
        origin: {
          bootId: fs.readFileSync(BOOT_ID, 'utf8').trim(),
          directory: feed.path,
          host: os.hostname(),
        },
      },
      baseline,
      from,
      standing: info,
      follow: !args.has('once'),
    });
  } finally {
    await baseline?.close();
  }
}

function after(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

function hasReceiverEnded(error: unknown): boolean {
  return error instanceof SendError && error.kind === 'ended';
}

async function openBaseline(feed: Feed): Promise<BaselineSource> {
  const file = await openBaselineFile(path.join(feed.path, 'baseline'));
  try {
    return await BaselineSource.open(file);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The offset of an index, which only the feed knows. */
async function placeOf(start: Start, feed: Feed, info: FeedInfo): Promise<LogPlace> {
  if (start.kind === 'records') return start.from;
  const { epoch, nextOffset, nextIndex } = info;
  if (start.kind === 'baseline') return { epoch, offset: nextOffset, index: nextIndex };
  const { index } = start;
  for await (const { offset } of feed.records({ from: { index }, follow: false })) {
    return { epoch, offset, index };
  }
  return { epoch, offset: nextOffset, index };
}

async function run(job: Job, keeper: SendKeeper, plan: SendPlan): Promise<ExitCode> {
  const { context, mount, feed, to, stop } = job;
  const files = new MountedFiles(mount);
  const writer = new StreamWriter(to.sink, { compress: job.args.has('compress') });
  const parts = {
    writer,
    contents: new FileContents(files),
    openRecords: (from: LogPlace) =>
      new RecordSource(new FeedFile(path.join(feed.path, 'stream')), from),
    standing: () => activeInfo(feed),
    now: () => context.now(),
    after,
    window: to.window,
    caughtUp: (place: LogPlace) => keeper.caughtUp(place, context.now()),
  };
  const sender = new Sender(parts, plan, AbortSignal.any([stop.signal, to.gone]));
  const progress = to.isAlone ? sendProgress(sender.counts, () => writer.written.bytes) : undefined;
  let end: SendEnd;
  try {
    end = await sender.run();
  } finally {
    progress?.end();
    files.dispose();
    debug('%o, %o, up to %o', sender.counts, writer.written, sender.place);
  }
  if (end === 'stopped' || end === 'broken') {
    if (!stop.signal.aborted) throw to.gone.reason;
    if (end === 'broken') {
      throw new CliError(ExitCode.INTERRUPTED, 'stopped before the baseline was complete');
    }
  }
  const exit = await to.finish();
  await keeper.complete(sender.place);
  const note = noteOf(end, feed.name);
  if (note !== undefined) context.output.message(note);
  // Whatever Ctrl-C made of the command; but what is wrong with the copy is told.
  const isStopped = exit === ExitCode.OK || exit === ExitCode.FAILURE;
  return isStopped && stop.isInterrupted ? ExitCode.INTERRUPTED : exit;
}

function noteOf(end: SendEnd, name: string): string | undefined {
  if (end === 'removed') return `feed ${name} was removed: the stream ends here`;
  if (end !== 'epoch') return undefined;
  const how = `feedfs send ${name} --from last`;
  return `the log begins a new epoch: once this stream is acknowledged, ${how} goes on`;
}

/** One fallocate(2); nothing to do for a feed that was removed meanwhile. */
async function acknowledgeBefore(feed: Feed, { offset }: LogPlace): Promise<void> {
  if (offset === 0) return;
  try {
    await feed.acknowledgeLog({ offset: 0, length: offset });
    debug('acknowledged up to byte %d', offset);
  } catch (error) {
    if (!(error instanceof FeedError) || error.code !== 'ENOENT') throw error;
  }
}

function epochError({ name }: FeedInfo): SendError {
  return new SendError(
    'epoch',
    `feed ${name} owes records of an earlier epoch of the log: acknowledge them ` +
      `(feedfs feed ack ${name}), or make a new feed`,
  );
}

const EXITS: Readonly<Record<SendErrorKind, ExitCode>> = {
  incomplete: ExitCode.STREAM_REFUSED,
  beyond: ExitCode.USAGE,
  baseline: ExitCode.FAILURE,
  contents: ExitCode.FAILURE,
  records: ExitCode.FAILURE,
  receiver: ExitCode.FAILURE,
  ended: ExitCode.FAILURE,
  epoch: ExitCode.STREAM_REFUSED,
};

/** With the message and the exit code that fit. */
function explained(error: unknown, feed: Feed): unknown {
  if (error instanceof SendError) {
    const served = error.cause instanceof FeedError ? explained(error.cause, feed) : undefined;
    if (served instanceof CliError) return served;
    return new CliError(EXITS[error.kind], error.message, { cause: error });
  }
  if (error instanceof FeedError && error.code === 'ENOTCONN') {
    return new CliError(
      ExitCode.FAILURE,
      `the filesystem of ${feed.path} is not served any more; once it is mounted again, ` +
        `feedfs send ${feed.name} --from last goes on`,
      { cause: error },
    );
  }
  return error;
}
