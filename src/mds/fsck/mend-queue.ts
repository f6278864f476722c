/** The mends that one check asks for, by phase. What does not fit the next check finds again. */
import type { FsckFinding } from './findings.js';
import { MENDS_PER_PHASE_MAX } from './limits.js';
import { type Mend, PHASES, type Phase, phaseOf } from './mend.js';

export interface QueuedMend {
  readonly finding: FsckFinding;
  readonly mend: Mend;
}

export class MendQueue {
  readonly #byPhase = new Map<Phase, QueuedMend[]>();

  add(finding: FsckFinding, mend: Mend): void {
    const phase = phaseOf(mend);
    let queue = this.#byPhase.get(phase);
    if (queue === undefined) {
      queue = [];
      this.#byPhase.set(phase, queue);
    }
    if (queue.length < MENDS_PER_PHASE_MAX) queue.push({ finding, mend: copyOf(mend) });
  }

  /** The first phase that has something to do and is not among those given up. */
  first(without: ReadonlySet<Phase>): Phase | undefined {
    return PHASES.find((phase) => this.#byPhase.has(phase) && !without.has(phase));
  }

  of(phase: Phase): readonly QueuedMend[] {
    return this.#byPhase.get(phase) ?? [];
  }
}

/** The checks reuse the buffers that keys and values stand in. */
function copyOf(mend: Mend): Mend {
  if (mend.do === 'remove') return { ...mend, key: Buffer.from(mend.key) };
  if (mend.do === 'put') {
    return { ...mend, key: Buffer.from(mend.key), value: Buffer.from(mend.value) };
  }
  return mend;
}
