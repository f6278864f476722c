import { readPolicy, setPolicy } from '../../consumer/settings.js';
import type { Arguments } from '../arguments.js';
import type { Command, Context } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { FEED_POSITIONAL, MOUNT_OPTION, openNamedFeed } from '../feed-argument.js';
import { settingText } from '../filter-argument.js';

export const feedPolicyCommand: Command = {
  name: 'feed policy',
  summary: 'Show or set what becomes of a feed that nobody reads.',
  positionals: [
    FEED_POSITIONAL,
    {
      name: 'JSON',
      optional: true,
      help: 'the new policy, @FILE, or - for standard input; "" is the default',
    },
  ],
  options: [MOUNT_OPTION],
  notes: [
    'A policy is one JSON object, {"maxIdle":"30d","maxBytes":"1G","then":"drop-oldest"}, of which every member may be missing.',
    'maxIdle is "30d", "12h", "90s" or "never"; maxBytes and maxRecords limit what is owed (numbers, or "64M"); minFree is what must stay free on the disk ("1G", or "5%"). then says what happens at these three: "expire" (the feed ends, and its consumer starts anew), "drop-oldest" (one LOST record stands for what went) or "block" (changes fail with ENOSPC). Being idle always expires a feed. The default is {"maxIdle":"30d","then":"expire"}; with "block", maxIdle is "never" unless it is given.',
    'The same as: echo JSON > MNT/.lustre/feeds/FEED/policy',
  ],
  run,
};

async function run(args: Arguments, context: Context): Promise<ExitCode> {
  const feed = await openNamedFeed(args, context);
  try {
    const text = args.optional('JSON');
    if (text === undefined) await context.output.line(await readPolicy(feed));
    else await setPolicy(feed, settingText(text, context));
  } finally {
    feed.close();
  }
  return ExitCode.OK;
}
