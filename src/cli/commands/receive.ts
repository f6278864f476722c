import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { SystemClock } from '../../base/time.js';
import { bootId, type Confirmer, openConfirmer } from '../../bridges/receive/confirm.js';
import { noCounts } from '../../bridges/receive/counts.js';
import { type IdMap, parseIdMap } from '../../bridges/receive/directory/id-map.js';
import { promote } from '../../bridges/receive/feedfs/promote.js';
import { openOriginFeed } from '../../bridges/receive/origin-feed.js';
import { withWayOut } from '../../bridges/receive/refusal.js';
import { Session } from '../../bridges/receive/session.js';
import { StreamReader } from '../../bridges/stream/reader.js';
import type { Arguments } from '../arguments.js';
import { usageError } from '../cli-error.js';
import type { Command, Context } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { failureOf } from '../failures.js';
import { JSON_OPTION } from '../feed-argument.js';
import { JOBS_MAX } from '../limits.js';
import { absolutePath } from '../mounts.js';
import { ReceiveReport } from '../receive-report.js';
import { type OpenedTarget, openTarget, type ReceiveOptions } from '../receive-target.js';
import { stdinChunks } from '../stdin-chunks.js';
import { StopSignals } from '../stop-signals.js';

export const receiveCommand: Command = {
  name: 'receive',
  summary: 'Make a copy of a filesystem, or bring it up to date, from what feedfs send writes.',
  positionals: [
    {
      name: 'TARGET',
      help: 'a directory of any filesystem, or the root of another mounted feedfs',
    },
  ],
  options: [
    {
      name: 'state',
      value: 'DIR',
      help: 'where the copy is kept book of (default: .NAME.feedfs beside the directory NAME)',
    },
    {
      name: 'map-uid',
      value: 'FROM:TO',
      multiple: true,
      help: 'give what user FROM owns to user TO (numbers); may be repeated',
    },
    { name: 'map-gid', value: 'FROM:TO', multiple: true, help: 'the same for groups' },
    { name: 'dry-run', help: 'print what would be done, and do nothing' },
    {
      name: 'jobs',
      value: 'N',
      help: 'threads that write at the same time (default: as many as processors, at most 4)',
    },
    { name: 'no-confirm', help: 'do not acknowledge to the feed what is on disk here' },
    { name: 'promote', help: 'make the copy in the feedfs TARGET an ordinary filesystem' },
    { ...JSON_OPTION, help: 'print JSON on a terminal, too' },
  ],
  notes: [
    'The stream is read from standard input. The copy is always a state that the source was in, and goes on from there when the command is run again, however it ended. Where the feed is on the same machine, what is on disk in the copy is acknowledged to it.',
    'Standard output, unless it is a terminal, is one JSON object per line: {"event": "hello", "target", "copy"} first, "progress" at most once a second, {"event": "confirmed", "epoch", "offset", "index"} when everything before that place is on disk, "done" at the end.',
    'A copy in a feedfs is read-only for all others until it is promoted. Exits with 14 if the stream cannot be applied, and with 15 if all of it was but some owners, attributes or special files could not be set.',
  ],
  run,
};

async function run(args: Arguments, context: Context): Promise<ExitCode> {
  const target = absolutePath(args.required('TARGET'), context.cwd);
  if (args.has('promote')) {
    await promote(target);
    return ExitCode.OK;
  }
  if (process.stdin.isTTY === true) {
    throw usageError(
      'the stream comes on standard input: feedfs send FEED | feedfs receive TARGET',
    );
  }
  const counts = noCounts();
  const isDry = args.has('dry-run');
  const json = args.has('json') || (process.stdout.isTTY !== true && !isDry);
  const options = {
    target,
    state: stateDirectory(args, context),
    jobs: args.integer('jobs', 0, JOBS_MAX),
    mapUid: idMap(args, 'map-uid'),
    mapGid: idMap(args, 'map-gid'),
  };
  const report = new ReceiveReport({ context, counts, json });
  const receiving: Receiving = {
    report,
    counts,
    options: {
      ...options,
      print: isDry ? (line) => report.step(line) : undefined,
      notice: (message) => report.message(message),
    },
    confirms: !isDry && !args.has('no-confirm') && comesNow(),
  };
  try {
    return await receive(receiving);
  } catch (error) {
    // Told here: also when nobody reads the output any more, the copying has failed.
    const { exitCode, message } = failureOf(error);
    report.message(message);
    return exitCode;
  } finally {
    await report.end();
  }
}

interface Receiving {
  readonly report: ReceiveReport;
  readonly counts: ReturnType<typeof noCounts>;
  readonly options: ReceiveOptions;
  readonly confirms: boolean;
}

async function receive(receiving: Receiving): Promise<ExitCode> {
  const { report, options } = receiving;
  const opened = await openTarget(options).catch((error: unknown) => {
    throw withWayOut(error);
  });
  try {
    // What it says is there a sender acknowledges: a receiver that was killed may have left it unwritten.
    await opened.target.flush();
    report.hello(opened.kind, opened.target.progress);
    const ended = await readStream(receiving, opened);
    report.done(opened.target);
    if (ended !== ExitCode.OK) return ended;
    return opened.target.shortfalls.count > 0 ? ExitCode.COPY_INCOMPLETE : ExitCode.OK;
  } finally {
    await opened.target.close();
  }
}

/** How a signal ended it, if one did: what was whole by then is applied. */
async function readStream(
  { report, counts, options, confirms }: Receiving,
  opened: OpenedTarget,
): Promise<ExitCode> {
  const stop = new StopSignals();
  let confirmer: Confirmer | undefined;
  const session = new Session({
    frames: new StreamReader(stdinChunks(stop.signal)),
    target: opened.target,
    counts,
    clock: new SystemClock(),
    spoolDirectory: opened.spoolDirectory ?? tmpdir(),
    begin: async (header) => {
      await opened.begin(header);
      if (!confirms) return;
      const { notice } = options;
      confirmer = await openConfirmer({ header, bootId: bootId(), open: openOriginFeed, notice });
    },
    durable: (place) => {
      if (options.print !== undefined) return;
      report.confirmed(place);
      confirmer?.confirm(place);
    },
    notice: options.notice,
  });
  try {
    await session.run();
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    report.message('stopped: of what had come, the whole transactions are in the copy');
  } finally {
    await confirmer?.close();
    stop.dispose();
  }
  return stop.isInterrupted ? ExitCode.INTERRUPTED : ExitCode.OK;
}

/**
 * From a sender that is at work, and not out of a file: one that is kept may be for another
 * copy, which the feed has to wait for.
 */
function comesNow(): boolean {
  return !fs.fstatSync(process.stdin.fd).isFile();
}

function stateDirectory(args: Arguments, { cwd }: Context): string | undefined {
  const given = args.value('state');
  return given === undefined ? undefined : absolutePath(given, cwd);
}

function idMap(args: Arguments, option: string): IdMap {
  const map = parseIdMap(args.values(option));
  if (!('wrong' in map)) return map;
  throw usageError(`--${option} takes FROM:TO, two numbers, each FROM once; not "${map.wrong}"`);
}
