/** Contents of a baseline's larger files, put in place as they come: several files at a time. */
import type { Fid } from '../../../base/fid.js';
import { formatFid } from '../../../base/fid.js';
import type { Contents } from '../../stream/frame.js';
import { StreamRefused } from '../refusal.js';
import { decodeLate, encodeLate, type Late } from './reconcile-late.js';
import { runTogether } from './reconcile-steps.js';
import { placeOf } from './reconcile-survey.js';
import type { State } from './state.js';
import { CONTENTS_AT_ONCE_BYTES, CONTENTS_AT_ONCE_FILES } from './state-limits.js';
import { expected, stepPlace } from './state-tree.js';
import type { Hands, Step } from './steps.js';

interface Filling {
  readonly late: Late;
  readonly parts: Contents[];
}

export class BaselineContents {
  readonly #state: State;
  readonly #hands: Hands;
  readonly #files = new Map<Fid, Filling>();
  #last: Fid | undefined;
  #bytes = 0;

  constructor(state: State, hands: Hands) {
    this.#state = state;
    this.#hands = hands;
  }

  /** StreamRefused: nobody waits for them. */
  async add(part: Contents): Promise<void> {
    const { fid } = part;
    const isFull =
      this.#bytes >= CONTENTS_AT_ONCE_BYTES || this.#files.size >= CONTENTS_AT_ONCE_FILES;
    // The last file may go on: the others are whole.
    if (isFull) await this.#put(fid);
    let filling = this.#files.get(fid);
    if (filling === undefined) {
      filling = { late: this.#lateOf(fid), parts: [] };
      this.#files.set(fid, filling);
    }
    filling.parts.push(part);
    this.#last = fid;
    if (part.kind === 'data') this.#bytes += part.bytes.length;
  }

  /** All files that contents came for are whole. */
  async finish(): Promise<void> {
    await this.#put(undefined);
  }

  async #put(goesOn: Fid | undefined): Promise<void> {
    const contents: Step[] = [];
    const attributes: Step[] = [];
    const open = goesOn !== undefined && goesOn === this.#last ? goesOn : undefined;
    for (const [fid, { late, parts }] of this.#files) {
      const object = this.#state.object(fid);
      const name = object === undefined ? undefined : placeOf(object);
      if (name === undefined) continue;
      const at = stepPlace(this.#state, name);
      const { size, type, exactXattrs, xattrs } = late;
      const expect = expected(this.#state, fid);
      contents.push({
        do: 'contents',
        fid,
        at,
        cut: undefined,
        parts,
        size,
        compare: true,
        // It may have names still that it is to lose.
        closes: late.stays,
        expect,
      });
      if (fid === open) continue;
      if (late.stays) {
        this.#state.setLate(fid, encodeLate({ ...late, awaits: false }));
        continue;
      }
      this.#state.setLate(fid, undefined);
      attributes.push({
        do: 'attributes',
        fid,
        at,
        type,
        attributes: late.attributes,
        xattrs,
        exactXattrs,
        expect,
      });
    }
    this.#files.clear();
    this.#bytes = 0;
    await runTogether(this.#hands, this.#state, contents);
    await runTogether(this.#hands, this.#state, attributes);
  }

  #lateOf(fid: Fid): Late {
    const row = this.#state.late(fid);
    const late = row === undefined ? undefined : decodeLate(row);
    if (late?.awaits === true) return late;
    throw new StreamRefused(`the stream is damaged: contents of ${formatFid(fid)}, which has none`);
  }
}
