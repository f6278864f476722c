/** At the end of a baseline: what it did not name goes. */
import { Errno } from '../../../base/errno.js';
import { type Fid, ROOT_FID } from '../../../base/fid.js';
import { isDirectory } from '../../../base/mode.js';
import type { NamePlace } from '../../../rpc/places.js';
import { displayPath, HandsError } from './hands-error.js';
import { isIt } from './plan-check.js';
import { removal } from './plan-names.js';
import { runTogether } from './reconcile-steps.js';
import type { Survey } from './reconcile-survey.js';
import type { State } from './state.js';
import { STEPS_AT_ONCE } from './state-limits.js';
import { isLimbo, shownPath } from './state-tree.js';
import type { Hands, Step } from './steps.js';

export interface SweepContext {
  readonly state: State;
  readonly hands: Hands;
  readonly survey: Survey;
  /** What the baseline named has this number. */
  readonly seen: number;
  readonly notice: (message: string) => void;
}

/** All that was put is committed before. */
export async function sweep(context: SweepContext): Promise<void> {
  await sweepFiles(context);
  await sweepDirectories(context);
}

async function sweepFiles(context: SweepContext): Promise<void> {
  const { state, hands, seen } = context;
  let steps: Step[] = [];
  for (const fid of state.fids()) {
    const object = state.object(fid);
    if (object === undefined || isDirectory(object.type)) continue;
    const kept = object.names.filter((name) => name.seen === seen);
    if (kept.length === object.names.length && kept.length > 0) continue;
    for (const name of object.names) {
      if (name.seen !== seen) steps.push(...removalOf(context, fid, name));
    }
    if (kept.length === 0) state.forget(fid);
    else state.put(fid, { ...object, names: kept });
    if (steps.length < STEPS_AT_ONCE) continue;
    await runTogether(hands, state, steps);
    steps = [];
    state.commit({});
  }
  await runTogether(hands, state, steps);
  state.commit({});
}

/** Nothing if something else, or nothing, is there: it is not ours to remove. */
function removalOf({ state, survey }: SweepContext, fid: Fid, place: NamePlace): Step[] {
  const object = state.object(fid);
  if (object === undefined || object.inode === 0 || !isIt(survey.look(place), object)) return [];
  return [removal(state, fid, place)];
}

async function sweepDirectories(context: SweepContext): Promise<void> {
  const { state, seen } = context;
  for (const fid of state.fids()) {
    const object = state.object(fid);
    if (object === undefined || !isDirectory(object.type) || fid === ROOT_FID) continue;
    if (object.names.some((name) => name.seen === seen)) continue;
    await removeTree(context, fid);
    if (state.uncommitted >= STEPS_AT_ONCE) state.commit({});
  }
}

/** From below. All that is in it is directories that were not named either. */
async function removeTree(context: SweepContext, top: Fid): Promise<void> {
  const { state } = context;
  const children = (fid: Fid) => state.children(fid)[Symbol.iterator]();
  const stack = [{ fid: top, rest: children(top) }];
  for (let last = stack.at(-1); last !== undefined; last = stack.at(-1)) {
    const next = last.rest.next();
    if (next.done !== true) {
      stack.push({ fid: next.value.fid, rest: children(next.value.fid) });
      continue;
    }
    stack.pop();
    await removeDirectory(context, last.fid);
  }
}

async function removeDirectory(context: SweepContext, fid: Fid): Promise<void> {
  const { state, hands, notice } = context;
  const place = state.object(fid)?.names[0];
  if (place !== undefined) {
    const path = displayPath(
      isLimbo(place) || state.findPath(place.parent as Fid) === undefined
        ? place.name
        : shownPath(state, place),
    );
    try {
      await hands.inOrder(removalOf(context, fid, place));
    } catch (error) {
      if (!(error instanceof HandsError && error.errno === Errno.ENOTEMPTY)) throw error;
      notice(`${path}: stays, for it has something in it that no receiver put there`);
    }
  }
  state.forget(fid);
}
