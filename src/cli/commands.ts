/** All subcommands, in the order of the help. */
import type { Command } from './command.js';
import { changelogCommand } from './commands/changelog.js';
import { doctorCommand } from './commands/doctor.js';
import { feedAckCommand } from './commands/feed-ack.js';
import { feedCreateCommand } from './commands/feed-create.js';
import { feedFilterCommand } from './commands/feed-filter.js';
import { feedLsCommand } from './commands/feed-ls.js';
import { feedPolicyCommand } from './commands/feed-policy.js';
import { feedRmCommand } from './commands/feed-rm.js';
import { feedShowCommand } from './commands/feed-show.js';
import { fsckCommand } from './commands/fsck.js';
import { mountCommand } from './commands/mount.js';
import { statsCommand } from './commands/stats.js';
import { tailCommand } from './commands/tail.js';
import { umountCommand } from './commands/umount.js';

export const COMMANDS: readonly Command[] = [
  mountCommand,
  umountCommand,
  feedCreateCommand,
  feedLsCommand,
  feedShowCommand,
  feedFilterCommand,
  feedAckCommand,
  feedPolicyCommand,
  feedRmCommand,
  tailCommand,
  changelogCommand,
  statsCommand,
  doctorCommand,
  fsckCommand,
];
