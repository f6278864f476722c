import { readFilter, setFilter } from '../../consumer/settings.js';
import type { Arguments } from '../arguments.js';
import { usageError } from '../cli-error.js';
import type { Command, Context } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import {
  FEED_POSITIONAL,
  feedPlace,
  JSON_OPTION,
  MOUNT_OPTION,
  openNamedFeed,
} from '../feed-argument.js';
import { FILTER_NOTE, FILTER_PARTS, filterFromParts, settingText } from '../filter-argument.js';

export const feedFilterCommand: Command = {
  name: 'feed filter',
  summary: 'Show or set which records a feed takes.',
  positionals: [
    FEED_POSITIONAL,
    {
      name: 'FILTER',
      optional: true,
      help: 'the new filter: JSON, @FILE, or - for standard input; {} takes every change',
    },
  ],
  options: [...FILTER_PARTS, MOUNT_OPTION, JSON_OPTION],
  notes: [
    'Without FILTER and without options the filter is printed; nothing if every change is taken. --json prints the object, {} then, also after setting it.',
    FILTER_NOTE,
    'It holds for what is logged from now on; what the feed owes already it goes on owing.',
    'The same as: echo JSON > MNT/.lustre/feeds/FEED/filter',
  ],
  run,
};

async function run(args: Arguments, context: Context): Promise<ExitCode> {
  const argument = args.optional('FILTER');
  const parts = filterFromParts(args, feedPlace(args, context).mount, context);
  if (argument !== undefined && parts !== undefined) {
    throw usageError('give FILTER, or options that build one, not both');
  }
  const feed = await openNamedFeed(args, context);
  try {
    const filter = argument === undefined ? parts : settingText(argument, context);
    if (filter !== undefined) await setFilter(feed, filter);
    const isJson = args.has('json');
    if (filter !== undefined && !isJson) return ExitCode.OK;
    const text = await readFilter(feed);
    if (isJson) await context.output.json(JSON.parse(text === '' ? '{}' : text));
    else if (text !== '') await context.output.line(text);
  } finally {
    feed.close();
  }
  return ExitCode.OK;
}
