/** A recovery of the server as far as it is this client's, and what follows before calls go on. */
import type {
  Answer,
  ClientMessage,
  RecoveryStep,
  ServerBoot,
  ServerMessage,
} from '../../rpc/session.js';
import type { ImportEvents } from '../import-events.js';
import type { Kept } from './kept.js';
import type { Notices } from './notices.js';
import { closedSince, type FileLocksHeld, RecoverySteps } from './recovery-steps.js';
import type { ReplayItem } from './replay-list.js';
import { type Restore, restore } from './restore.js';
import { Restorer } from './restorer.js';
import type { Sending } from './sending.js';

export interface RecoveringParts {
  readonly kept: Kept;
  readonly notices: Notices;
  readonly events: ImportEvents;
  readonly log: (line: string) => void;
}

export class Recovering {
  /** Undefined: no program has any. */
  fileLocks: FileLocksHeld | undefined;
  readonly #parts: RecoveringParts;
  readonly #sending: Sending;
  readonly #send: (message: ClientMessage) => void;
  readonly #restorer: Restorer;
  /** Of the connection that there is. */
  #steps: RecoverySteps | undefined;
  /** The run of the server that recovers. */
  #boot: ServerBoot | undefined;
  /**
   * What it makes again. Some of it may become known to be on disk meanwhile; it is sent all
   * the same, for the opens that come with it.
   */
  #changes: readonly ReplayItem[] = [];
  /** The rest of the client has not been told that a recovery is over. */
  #isUntold = false;

  constructor(parts: RecoveringParts, sending: Sending, send: (message: ClientMessage) => void) {
    this.#parts = parts;
    this.#sending = sending;
    this.#send = send;
    this.#restorer = new Restorer((asked, then) => sending.restore(asked, then));
  }

  /** The server started again, or goes on recovering: the steps follow. */
  begin(boot: ServerBoot): void {
    const { kept, events, log } = this.#parts;
    if (boot !== this.#boot) this.#changes = kept.replays.items();
    this.#boot = boot;
    kept.serverRestarted();
    this.#restorer.reset();
    this.#isUntold = true;
    this.#steps = new RecoverySteps({
      opens: kept.opens,
      replays: kept.replays,
      changes: this.#changes,
      events,
      fileLocks: this.fileLocks,
      closing: (fid) => kept.calls.closing(fid),
      send: this.#send,
      log,
      nowSec: () => kept.nowSec(),
    });
  }

  step(step: RecoveryStep): void {
    this.#steps?.begin(step);
  }

  /** False: it is not about a step. */
  took(message: ServerMessage): boolean {
    switch (message.kind) {
      case 'reopened':
        this.#steps?.reopened(message);
        return true;
      case 'locks-taken':
        this.#steps?.locksTaken(message);
        return true;
      case 'answer':
        return this.#tookAnswer(message);
      default:
        return false;
    }
  }

  /** Brings back what consumers had, if that run of the server does not have it. */
  restore(boot: ServerBoot, done: () => void): void {
    const { kept, notices } = this.#parts;
    this.#steps = undefined;
    this.#sending.resendRestores();
    const ended = (id: number): void => notices.tell({ kind: 'feed-ended', id });
    const restores = (): Restore[] => [
      ...closedSince(this.#changes, kept.opens).map((fid) => restore('close', { fid })),
      ...kept.consumer.restores(ended),
    ];
    this.#restorer.run(boot, restores, done);
  }

  /** All is back. */
  over(): void {
    this.#forget();
    if (!this.#isUntold) return;
    this.#isUntold = false;
    this.#parts.events.recovered?.();
  }

  /** The connection ended. */
  lost(): void {
    this.#steps = undefined;
  }

  /** There is nothing that this client has at the server. */
  evicted(): void {
    this.#steps = undefined;
    this.#isUntold = false;
    this.#restorer.reset();
    this.#forget();
  }

  #forget(): void {
    this.#boot = undefined;
    this.#changes = [];
  }

  #tookAnswer(message: Answer): boolean {
    return this.#steps?.answered(message) === true;
  }
}
