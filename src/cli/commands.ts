/** All subcommands, in the order of the help. */
import type { Command } from './command.js';
import { doctorCommand } from './commands/doctor.js';
import { feedAckCommand } from './commands/feed-ack.js';
import { feedCreateCommand } from './commands/feed-create.js';
import { feedLsCommand } from './commands/feed-ls.js';
import { feedRmCommand } from './commands/feed-rm.js';
import { feedShowCommand } from './commands/feed-show.js';
import { fsckCommand } from './commands/fsck.js';
import { mountCommand } from './commands/mount.js';
import { tailCommand } from './commands/tail.js';
import { umountCommand } from './commands/umount.js';

export const COMMANDS: readonly Command[] = [
  mountCommand,
  umountCommand,
  feedCreateCommand,
  feedLsCommand,
  feedShowCommand,
  feedAckCommand,
  feedRmCommand,
  tailCommand,
  doctorCommand,
  fsckCommand,
];
