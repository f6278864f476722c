import type { Change } from '../../bridges/diff/change.js';
import { type Diff, diffFeed } from '../../bridges/diff/diff.js';
import { DiffError, type DiffReason } from '../../bridges/diff/diff-error.js';
import type { Feed } from '../../consumer/feed.js';
import { openFeed } from '../../consumer/feeds.js';
import { placesOf } from '../../consumer/places.js';
import type { Arguments } from '../arguments.js';
import { CliError, usageError } from '../cli-error.js';
import type { Command, Context } from '../command.js';
import { changeBytes, changeToJson, formatChange } from '../diff-lines.js';
import { ExitCode } from '../exit-codes.js';
import {
  explainMissing,
  FEED_POSITIONAL,
  type FeedPlace,
  feedPlace,
  JSON_OPTION,
  MOUNT_OPTION,
} from '../feed-argument.js';
import { CHANGES_PER_WRITE } from '../limits.js';

export const diffCommand: Command = {
  name: 'diff',
  summary: 'Print what changed since the last acknowledged record of a feed: the net effect.',
  positionals: [FEED_POSITIONAL],
  options: [
    {
      name: 'types',
      help: 'print a letter for the type: F file, / directory, @ symlink, | fifo, = socket, B and C devices',
    },
    {
      name: 'null',
      short: '0',
      help: 'end each path with a NUL, and print it as it is; the new path of a rename comes behind the old one',
    },
    JSON_OPTION,
    MOUNT_OPTION,
  ],
  notes: [
    'One line per path, in the order of the paths: + what is new, - what is gone, M what was changed, R OLD -> NEW what moved. Paths are relative to the mount. What was made and is gone again is not told, nor what is below a directory that moved, unless it was changed itself. A directory is changed, too, when something in it comes, goes or moves. What has several names is told by each of them.',
    'It is exact for the moment when it begins, also while the filesystem is in use. Nothing is acknowledged: feedfs feed ack does that.',
    '--json prints one object per line: {"change": "added", "removed", "modified" or "renamed", "path", "to" of a rename, "type", "fid", "parts": what was modified, "linked": the object has or had other names}.',
  ],
  run,
};

async function run(args: Arguments, context: Context): Promise<ExitCode> {
  if (args.has('json') && args.has('null')) throw usageError('--json and -0 exclude each other');
  const place = feedPlace(args, context);
  const feed = await opened(place);
  try {
    const { changes } = await net(feed, place);
    const render = renderer(args);
    for (let at = 0; at < changes.length; at += CHANGES_PER_WRITE) {
      const lines = changes.slice(at, at + CHANGES_PER_WRITE).map(render);
      await context.output.write(Buffer.concat(lines));
    }
  } finally {
    feed.close();
  }
  return ExitCode.OK;
}

async function opened(place: FeedPlace): Promise<Feed> {
  try {
    return await openFeed(place.mount, place.name);
  } catch (error) {
    throw await explainMissing(error, place);
  }
}

async function net(feed: Feed, { mount, name }: FeedPlace): Promise<Diff> {
  try {
    return await diffFeed(feed, { mount, ask: (fids) => placesOf(mount, fids) });
  } catch (error) {
    if (!(error instanceof DiffError)) throw error;
    const exitCode = EXITS[error.reason] ?? ExitCode.FAILURE;
    const way = WAYS_OUT[error.reason]?.replaceAll('FEED', name);
    const message = way === undefined ? error.message : `${error.message}; ${way}`;
    throw new CliError(exitCode, message, { cause: error });
  }
}

const EXITS: Partial<Record<DiffReason, ExitCode>> = {
  lost: ExitCode.STREAM_REFUSED,
  epoch: ExitCode.STREAM_REFUSED,
  ended: ExitCode.NO_FEED,
};

const ANEW =
  'compare everything anew (feedfs verify, or feedfs send FEED --baseline), then feedfs feed ack FEED --all';

const WAYS_OUT: Partial<Record<DiffReason, string>> = {
  lost: ANEW,
  gaps: ANEW,
  epoch: ANEW,
  filter: 'make a feed without one for this: feedfs feed create NAME',
};

function renderer(args: Arguments): (change: Change) => Uint8Array {
  const types = args.has('types');
  if (args.has('json')) return (change) => Buffer.from(`${JSON.stringify(changeToJson(change))}\n`);
  if (args.has('null')) return (change) => changeBytes(change, types);
  return (change) => Buffer.from(formatChange(change, types));
}
