/**
 * All subcommands, in the order of the help. A command and what it needs are loaded when
 * it is asked for, so that none pays at its start for the others.
 */
import { must } from '../base/assert.js';
import type { Command } from './command.js';

/** By the name that the command has in its declaration. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  mount: async () => (await import('./commands/mount.js')).mountCommand,
  umount: async () => (await import('./commands/umount.js')).umountCommand,
  mds: async () => (await import('./commands/mds.js')).mdsCommand,
  'mds status': async () => (await import('./commands/mds-status.js')).mdsStatusCommand,
  'feed create': async () => (await import('./commands/feed-create.js')).feedCreateCommand,
  'feed ls': async () => (await import('./commands/feed-ls.js')).feedLsCommand,
  'feed show': async () => (await import('./commands/feed-show.js')).feedShowCommand,
  'feed filter': async () => (await import('./commands/feed-filter.js')).feedFilterCommand,
  'feed ack': async () => (await import('./commands/feed-ack.js')).feedAckCommand,
  'feed policy': async () => (await import('./commands/feed-policy.js')).feedPolicyCommand,
  'feed rm': async () => (await import('./commands/feed-rm.js')).feedRmCommand,
  tail: async () => (await import('./commands/tail.js')).tailCommand,
  changelog: async () => (await import('./commands/changelog.js')).changelogCommand,
  send: async () => (await import('./commands/send.js')).sendCommand,
  receive: async () => (await import('./commands/receive.js')).receiveCommand,
  diff: async () => (await import('./commands/diff.js')).diffCommand,
  verify: async () => (await import('./commands/verify.js')).verifyCommand,
  stats: async () => (await import('./commands/stats.js')).statsCommand,
  doctor: async () => (await import('./commands/doctor.js')).doctorCommand,
  fsck: async () => (await import('./commands/fsck.js')).fsckCommand,
};

export const COMMAND_NAMES: readonly string[] = Object.keys(COMMANDS);

/** `name` is one of COMMAND_NAMES. */
export async function loadCommand(name: string): Promise<Command> {
  return await must(COMMANDS[name], `command ${name}`)();
}

/** Those with `names`, or all. */
export async function loadCommands(names = COMMAND_NAMES): Promise<readonly Command[]> {
  return await Promise.all(names.map(loadCommand));
}
