import type { Arguments } from '../arguments.js';
import { usageError } from '../cli-error.js';
import type { Command, Context } from '../command.js';
import type { ExitCode } from '../exit-codes.js';
import { JSON_OPTION, MOUNT_OPTION } from '../feed-argument.js';

export const sendCommand: Command = {
  name: 'send',
  summary: 'Write a filesystem, and then its changes, as a stream for feedfs receive.',
  positionals: [
    {
      name: 'FEED',
      optional: true,
      help: "the feed's name, or the path of its directory; with --inspect a file (default: standard input)",
    },
  ],
  options: [
    { name: 'baseline', help: 'begin with the whole filesystem (default, where no copy is known)' },
    {
      name: 'from',
      value: 'WHERE',
      help: 'only changes: from last (what was confirmed or kept in a file), or from the record with this index',
    },
    { name: 'once', help: 'end when everything that there is was sent, instead of following' },
    { name: 'compress', help: 'deflate' },
    {
      name: 'to',
      value: 'COMMAND',
      help: 'run COMMAND in a shell, send to its standard input, and acknowledge what it confirms',
    },
    {
      name: 'ack',
      help: 'acknowledge what was sent once the stream is complete (not with --to: there the command confirms)',
    },
    { name: 'inspect', help: 'tell what a stream consists of, and whether it is whole' },
    { ...JSON_OPTION, help: 'with --inspect: print JSON' },
    MOUNT_OPTION,
  ],
  notes: [
    'feedfs send FEED | feedfs receive DIR makes a copy and keeps it up to date. To another machine: feedfs send FEED --to "ssh HOST feedfs receive DIR", which finds out where the copy is and goes on there.',
    'A stream may be kept in a file: feedfs send FEED --once > 1; later feedfs send FEED --from last --once > 2. The feed keeps what is not acknowledged: add --ack if nobody else confirms.',
    'Ctrl-C ends the stream behind the last whole transaction.',
  ],
  run,
};

async function run(args: Arguments, context: Context): Promise<ExitCode> {
  if (args.has('inspect')) {
    const { inspect } = await import('../send-inspect.js');
    return inspect(args.optional('FEED'), args.has('json'), context);
  }
  if (args.has('json')) throw usageError('--json goes with --inspect only');
  if (args.optional('FEED') === undefined) throw usageError('FEED is missing');
  const { send } = await import('../send-run.js');
  return send(args, context);
}
