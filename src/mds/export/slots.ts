/**
 * The slots of one client: what was asked last in each, and what was answered. One mutation
 * at a time has a slot, so whatever is asked anew in it has had the answer before.
 */
import { Errno } from '../../base/errno.js';
import type { Slot, Xid } from '../../rpc/session.js';
import type { SlotRow } from './parts.js';
import { readSlotRow, SLOT_ROW_BYTES, writeSlotRow } from './slot-row.js';

interface State {
  xid: Xid;
  /** Of the request (asked-digest.ts). */
  asked: Uint8Array;
  /** It is being worked on. */
  busy: boolean;
  /** Why it was refused; 0 if it was made: then `row` says what was answered. */
  errno: Errno | 0;
  readonly row: Buffer;
}

/** `new`: to be done. `old`: a late duplicate of what was answered long ago. `other`: the number was that of another request. */
export type SlotFinding = 'new' | 'busy' | 'same' | 'old' | 'other';

const NOTHING = new Uint8Array(0);

export class Slots {
  readonly #states = new Map<Slot, State>();

  find(slot: Slot, xid: Xid, asked: Uint8Array): SlotFinding {
    const state = this.#states.get(slot);
    if (state === undefined) return 'new';
    if (xid < state.xid) return 'old';
    if (xid === state.xid && Buffer.compare(asked, state.asked) !== 0) return 'other';
    if (state.busy) return 'busy';
    return xid === state.xid ? 'same' : 'new';
  }

  begin(slot: Slot, xid: Xid, asked: Uint8Array): void {
    const state = this.#state(slot);
    state.xid = xid;
    state.asked = asked;
    state.busy = true;
  }

  refused(slot: Slot, xid: Xid, errno: Errno): void {
    const state = this.#state(slot);
    Object.assign(state, { xid, errno, busy: false });
  }

  /** Of what is asked in it now. */
  askedOf(slot: Slot): Uint8Array {
    return this.#state(slot).asked;
  }

  /** It failed here, and nobody knows how far it got. */
  gaveUp(slot: Slot, xid: Xid): void {
    const state = this.#states.get(slot);
    if (state?.busy === true && state.xid === xid) this.refused(slot, xid, Errno.EIO);
  }

  /** It was made. The row for the store, which is this object's and changes with the next one. */
  made(slot: Slot, row: SlotRow): Buffer {
    const state = this.#state(slot);
    Object.assign(state, { xid: row.xid, asked: row.asked, errno: 0, busy: false });
    writeSlotRow(state.row, row);
    return state.row;
  }

  /** What was answered to the last one: an errno, or the row. */
  answerOf(slot: Slot): Errno | SlotRow | undefined {
    const state = this.#states.get(slot);
    if (state === undefined || state.busy) return undefined;
    return state.errno === 0 ? readSlotRow(state.row) : state.errno;
  }

  /** What was answered last in each slot, where it was made. */
  *rows(): Generator<SlotRow> {
    for (const slot of this.#states.keys()) {
      const answer = this.answerOf(slot);
      if (typeof answer === 'object') yield answer;
    }
  }

  #state(slot: Slot): State {
    let state = this.#states.get(slot);
    if (state === undefined) {
      const row = Buffer.alloc(SLOT_ROW_BYTES);
      state = { xid: 0 as Xid, asked: NOTHING, busy: false, errno: 0, row };
      this.#states.set(slot, state);
    }
    return state;
  }
}
