/** A request that asks to be let through, and what it waits for. */
import type { Fid } from '../../base/fid.js';
import type { Reint } from '../../rpc/messages.js';
import type { ClientId } from '../../rpc/session.js';
import type { Recall } from './recalls.js';

export interface Admission {
  /** Grows: who came first. */
  readonly order: number;
  readonly by: ClientId;
  /**
   * `look`: nothing may be unrecorded. `read`: the same, and no change of others may be about to
   * happen without recalling what is granted now. `change`: nobody else may keep anything. `lock`:
   * the same, and no change of others may be under way.
   */
  kind: 'look' | 'read' | 'change' | 'lock';
  /** Monotonic, in microseconds. */
  readonly sinceUs: number;
  readonly change: Reint | undefined;
  /** What it is about now: names may lead elsewhere when it is asked again. */
  readonly fids: () => readonly Fid[];
  readonly proceed: () => void;
  state: 'waiting' | 'running' | 'over';
  /** Of recalls that were sent for it. */
  rounds: number;
  /** Unanswered. */
  readonly on: Set<Recall>;
  /** Those that go on after it. */
  readonly followers: Set<Admission>;
  /** Under which it is known as changing them. */
  changing: readonly Fid[];
}
