/**
 * A baseline onto whatever a copy has: object by object, each is left where it is, moved there
 * from where it is known to be, or made. What another object needs the place of waits in the
 * limbo. Over any hands and any state, so that another feedfs is filled in the same way.
 *
 * Before anything is done, the state says durably what is about to be where: what a killed
 * receiver left is known to the next one.
 */
import { must } from '../../../base/assert.js';
import { type Fid, formatFid, ROOT_FID } from '../../../base/fid.js';
import { isDirectory, isRegular, S_IFDIR, S_IFMT } from '../../../base/mode.js';
import type { Timespec } from '../../../base/time.js';
import type { BaselineEnd, BaselineHead, BaselineName, LogPlace } from '../../../rpc/baseline.js';
import type { NamePlace } from '../../../rpc/places.js';
import type { Contents } from '../../stream/frame.js';
import { StreamRefused } from '../refusal.js';
import type { WholeObject } from '../target.js';
import { BatchSteps } from './reconcile-batch.js';
import { findWhatWasBegun } from './reconcile-begun.js';
import { BaselineContents } from './reconcile-contents.js';
import { attributesOf, decodeLate, encodeLate, type Late, xattrsOf } from './reconcile-late.js';
import { runPhase, runTogether } from './reconcile-steps.js';
import { placeOf, Survey } from './reconcile-survey.js';
import { sweep } from './reconcile-sweep.js';
import type { State } from './state.js';
import { STEPS_AT_ONCE } from './state-limits.js';
import type { JournalEntry } from './state-meta.js';
import { expected, limboPlace, ROOT_PLACE, stepPlace } from './state-tree.js';
import type { Hands, Step } from './steps.js';

export class Reconciler {
  readonly #state: State;
  readonly #hands: Hands;
  readonly #notice: (message: string) => void;
  readonly #survey: Survey;
  readonly #contents: BaselineContents;
  /** Nothing was there when it began: nothing has to be looked for. */
  #isFresh = false;

  constructor(state: State, hands: Hands, notice: (message: string) => void) {
    this.#state = state;
    this.#hands = hands;
    this.#notice = notice;
    this.#survey = new Survey(state, hands);
    this.#contents = new BaselineContents(state, hands);
  }

  /** StreamRefused: the copy is of another filesystem. */
  begin({ filesystem, feed, place }: BaselineHead): void {
    const { copy, baselineId, root, targetFilesystem } = this.#state.meta;
    if (copy !== undefined && copy.filesystem !== filesystem) {
      throw new StreamRefused(
        `the target is a copy of filesystem ${copy.filesystem}, and the stream of ${filesystem}`,
        { wayOut: 'receive it into another target' },
      );
    }
    findWhatWasBegun(this.#state, (at) => this.#hands.look(at));
    const inode =
      root || must(this.#hands.look({ ...ROOT_PLACE, directory: '' }), 'the target').inode;
    this.#isFresh = [...take(this.#state.fids(), 2)].every((fid) => fid === ROOT_FID);
    if (this.#state.uncommitted > 0) this.#isFresh = false;
    this.#state.put(ROOT_FID, { inode, type: S_IFDIR, names: [{ ...ROOT_PLACE, seen: 0 }] });
    const progress = { filesystem, feed: feed.id, baseline: 'running', place } as const;
    this.#state.commit(
      {
        copy: progress,
        root: inode,
        targetFilesystem: this.#hands.filesystem ?? targetFilesystem,
        baselineId: baselineId + 1,
        interrupted: undefined,
      },
      [],
      { clearLate: true },
    );
  }

  async objects(batch: readonly WholeObject[]): Promise<void> {
    await this.#contents.finish();
    const journal: JournalEntry[] = [];
    for (const { object } of batch) {
      const { fid, parent, name, attributes } = object;
      if (fid === ROOT_FID) continue;
      const type = attributes.mode & S_IFMT;
      const place = { parent, name };
      if (!this.#isFresh) this.#check(fid, type, place);
      journal.push({ fid, type, after: [place] });
    }
    this.#state.commit({}, this.#withOccupants(journal));
    const steps = new BatchSteps(this.#state, this.#state.meta.baselineId);
    for (const whole of batch) steps.narrow(whole);
    for (const whole of batch) {
      if (isDirectory(whole.object.attributes.mode)) this.#addDirectory(whole, steps);
    }
    for (const whole of batch) {
      if (!isDirectory(whole.object.attributes.mode)) this.#addFile(whole, steps);
    }
    await runTogether(this.#hands, this.#state, steps.narrowings);
    for (const phase of steps.names.take()) await runPhase(this.#hands, this.#state, phase);
    await runTogether(this.#hands, this.#state, steps.makes);
    await runTogether(this.#hands, this.#state, steps.contents);
    await runTogether(this.#hands, this.#state, steps.attributes);
  }

  async contents(part: Contents): Promise<void> {
    if (part.kind !== 'gone') await this.#contents.add(part);
  }

  async names(batch: readonly BaselineName[]): Promise<void> {
    await this.#contents.finish();
    const journal: JournalEntry[] = [];
    for (const { fid, parent, name } of batch) {
      const object = this.#state.object(fid);
      if (object === undefined || isDirectory(object.type)) {
        throw damaged(`a further name of ${formatFid(fid)}, which cannot have one`);
      }
      if (!this.#isFresh) this.#check(fid, object.type, { parent, name });
      journal.push({ fid, type: object.type, after: [...object.names, { parent, name }] });
    }
    this.#state.commit({}, this.#withOccupants(journal));
    const steps = new BatchSteps(this.#state, this.#state.meta.baselineId);
    for (const { fid, parent, name } of batch) steps.addName(fid, { parent, name });
    for (const phase of steps.names.take()) await runPhase(this.#hands, this.#state, phase);
  }

  /** What was not named goes; then the copy is what the source was at that place, on disk. */
  async end(_: BaselineEnd, place: LogPlace, time: Timespec): Promise<void> {
    const [state, hands] = [this.#state, this.#hands];
    await this.#contents.finish();
    state.commit({});
    const seen = state.meta.baselineId;
    if (!this.#isFresh) {
      const [survey, notice] = [this.#survey, this.#notice];
      await sweep({ state, hands, survey, seen, notice });
      state.commit({});
    }
    await this.#finishLate();
    await hands.flush();
    const copy = must(state.meta.copy, 'a baseline that was begun');
    state.commit({ copy: { ...copy, baseline: 'complete', place, time } }, [], { clearLate: true });
  }

  #check(fid: Fid, type: number, place: NamePlace): void {
    const known = this.#state.object(fid);
    if (known !== undefined && known.type !== type) {
      throw damaged(`${formatFid(fid)} is of another type than it was`);
    }
    this.#survey.check(fid, place);
  }

  #addDirectory(whole: WholeObject, steps: BatchSteps): void {
    const { fid } = whole.object;
    const isMade = fid !== ROOT_FID && steps.place(whole) === 'made';
    const { atime, mtime, ctime, ...rest } = attributesOf(whole);
    const attributes = { atime, mtime, ctime, ...(isMade ? {} : rest) };
    const xattrs = isMade ? [] : xattrsOf(whole);
    this.#setLate(whole, { attributes, xattrs, exactXattrs: !isMade, awaits: false, stays: true });
  }

  #addFile(whole: WholeObject, steps: BatchSteps): void {
    const { fid, attributes, contents } = whole.object;
    const hadNames = this.#state.object(fid)?.names.length ?? 0;
    const isMade = steps.place(whole) === 'made';
    const awaits = isRegular(attributes.mode) && contents === 'elsewhere';
    const stays = attributes.nlink > 1 || hadNames > 1;
    if (!isMade) steps.update(whole, { awaits, stays });
    if (!awaits && !stays) return;
    this.#setLate(whole, {
      attributes: attributesOf(whole),
      xattrs: xattrsOf(whole),
      exactXattrs: !isMade,
      awaits,
      stays,
    });
  }

  #setLate({ object }: WholeObject, late: Omit<Late, 'type' | 'size'>): void {
    const { mode, size } = object.attributes;
    this.#state.setLate(object.fid, encodeLate({ ...late, type: mode & S_IFMT, size }));
  }

  /** Who has a place that another is to have leaves it for the limbo, with all that is in it. */
  #withOccupants(journal: readonly JournalEntry[]): readonly JournalEntry[] {
    if (this.#isFresh) return journal;
    const named = new Set(journal.map(({ fid }) => fid));
    const all = [...journal];
    for (const { fid, after } of journal) {
      for (const { parent, name } of after) {
        const there = this.#state.child(parent, name);
        if (there === undefined || there === fid || named.has(there)) continue;
        named.add(there);
        const object = must(this.#state.object(there), 'an object with a name');
        all.push({ fid: there, type: object.type, after: [limboPlace(there)] });
      }
    }
    return all;
  }

  async #finishLate(): Promise<void> {
    let steps: Step[] = [];
    for (const { fid, row } of this.#state.lateRows()) {
      const object = this.#state.object(fid);
      const name = object === undefined ? undefined : placeOf(object);
      if (object === undefined || name === undefined || object.inode === 0) continue;
      const { type, attributes, xattrs, exactXattrs } = decodeLate(row);
      const at = stepPlace(this.#state, name);
      const expect = expected(this.#state, fid);
      steps.push({ do: 'attributes', fid, at, type, attributes, xattrs, exactXattrs, expect });
      if (steps.length < STEPS_AT_ONCE) continue;
      await runTogether(this.#hands, this.#state, steps);
      steps = [];
    }
    await runTogether(this.#hands, this.#state, steps);
  }
}

function damaged(reason: string): StreamRefused {
  return new StreamRefused(`the stream is damaged: ${reason}`);
}

function* take<T>(values: Iterable<T>, count: number): Iterable<T> {
  let left = count;
  for (const value of values) {
    if (left-- <= 0) return;
    yield value;
  }
}
