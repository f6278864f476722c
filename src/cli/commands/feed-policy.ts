import { readPolicy, setPolicy } from '../../consumer/settings.js';
import { POLICY_DROP_BYTES_MIN, POLICY_DROP_RECORDS_MIN } from '../../feed/limits.js';
import type { Arguments } from '../arguments.js';
import type { Command, Context } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { FEED_POSITIONAL, JSON_OPTION, MOUNT_OPTION, openNamedFeed } from '../feed-argument.js';
import { settingText } from '../filter-argument.js';

/** Part of the help of whatever takes a policy. */
export const POLICY_MINIMA = `With "drop-oldest" maxBytes is at least ${POLICY_DROP_BYTES_MIN} and maxRecords at least ${POLICY_DROP_RECORDS_MIN}: what is dropped leaves a LOST record.`;

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
  options: [MOUNT_OPTION, JSON_OPTION],
  notes: [
    'Without JSON the policy is printed; --json prints it also after setting it.',
    'A policy is one JSON object, {"maxIdle":"30d","maxBytes":"1G","then":"drop-oldest"}, of which every member may be missing.',
    'maxIdle is "30d", "12h", "15m", "90s" or "never"; maxBytes and maxRecords limit what is owed (whole numbers, or "64M" with K, M, G or T); minFree is what must stay free on the disk ("1G", or "5%"). then says what happens at these three: "expire" (the feed ends, and its consumer starts anew), "drop-oldest" (one LOST record stands for what went) or "block" (changes fail with ENOSPC). Being idle always expires a feed. The default is {"maxIdle":"30d","then":"expire"}; with "block", maxIdle is "never" unless it is given.',
    POLICY_MINIMA,
    'The same as: echo JSON > MNT/.lustre/feeds/FEED/policy',
  ],
  run,
};

async function run(args: Arguments, context: Context): Promise<ExitCode> {
  const feed = await openNamedFeed(args, context);
  try {
    const text = args.optional('JSON');
    if (text !== undefined) await setPolicy(feed, settingText(text, context));
    if (args.has('json')) await context.output.json(JSON.parse(await readPolicy(feed)));
    else if (text === undefined) await context.output.line(await readPolicy(feed));
  } finally {
    feed.close();
  }
  return ExitCode.OK;
}
