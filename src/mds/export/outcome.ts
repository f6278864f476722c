/**
 * What a client that says hello is to the server.
 *
 * | it was connected to | a recovery runs and knows it | what is kept of it | outcome            |
 * |---------------------|------------------------------|--------------------|--------------------|
 * | nobody              | no recovery runs             | goes, if anything  | `new`              |
 * | nobody              | runs                         | goes, if anything  | wait               |
 * | any run             | runs and knows it            |                    | `recover`          |
 * | any run             | runs and does not know it    |                    | wait               |
 * | this run            | no recovery runs             | something          | `resumed`          |
 * | this run            | no recovery runs             | nothing            | `evicted`          |
 * | another run         | no recovery runs             | goes, if anything  | `evicted`          |
 */
import type { Outcome, ServerBoot } from '../../rpc/session.js';

export interface Standing {
  /** The run of a server that it was connected to last, by what it says. */
  readonly said: ServerBoot | undefined;
  readonly boot: ServerBoot;
  readonly recovering: boolean;
  /** The recovery knows it. */
  readonly knows: boolean;
  /** Something is kept of it by this run. */
  readonly kept: boolean;
}

export interface Reception {
  /** `wait`: it is to come again later. */
  readonly outcome: Outcome | 'wait';
  /** What is kept of it goes first: it has lost what belongs to it. */
  readonly afresh: boolean;
}

export function receptionOf({ said, boot, recovering, knows, kept }: Standing): Reception {
  if (said === undefined) return { outcome: recovering ? 'wait' : 'new', afresh: true };
  if (recovering) return { outcome: knows ? 'recover' : 'wait', afresh: false };
  if (kept && said === boot) return { outcome: 'resumed', afresh: false };
  return { outcome: 'evicted', afresh: true };
}
