/**
 * New files and contents: a file that is small and new is made with its contents in one step.
 * Only so much is in memory at a time; larger contents are gone through by the hands.
 */
import { must } from '../../../base/assert.js';
import type { Fid } from '../../../base/fid.js';
import { isDirectory } from '../../../base/mode.js';
import { CAPABILITY } from '../../../base/xattr-name.js';
import type { Contents } from '../../stream/frame.js';
import type { KeptContents } from '../target.js';
import { isGoing, isInBooksOnly, isNew, type NetEffect, type NetObject } from './net-object.js';
import type { MakeStep, NameSteps } from './plan-names.js';
import type { Phase } from './plan-phases.js';
import { SET_ID } from './plan-rights.js';
import { CONTENTS_AT_ONCE_BYTES, CONTENTS_WITH_FILE_MAX, STEPS_AT_ONCE } from './state-limits.js';
import { type CopyTree, expected, stepPlace } from './state-tree.js';
import type { Step } from './steps.js';

type Part = Exclude<Contents, { kind: 'gone' }>;

/** Makes all new files, and puts contents in place: returns which were not made whole, so that attributes are still to be set. */
export function* fillFiles(
  net: NetEffect,
  tree: CopyTree,
  kept: KeptContents,
  names: NameSteps,
): Generator<Phase, ReadonlySet<Fid>> {
  const filled = new Set<Fid>();
  let steps: Step[] = [];
  let bytes = 0;
  for (const object of net.values()) {
    if (!isNew(object) || isDirectory(object.type)) continue;
    const contents = hasData(object) ? smallContents(object, kept) : undefined;
    if (contents === 'large') filled.add(object.fid);
    const whole = contents === 'large' ? undefined : contents;
    const step = names.makeStep(object, whole);
    steps.push(contents === 'large' ? unprivileged(step) : step);
    bytes += whole?.length ?? 0;
    if (bytes < CONTENTS_AT_ONCE_BYTES && steps.length < STEPS_AT_ONCE) continue;
    yield { together: true, steps };
    [steps, bytes] = [[], 0];
  }
  yield { together: true, steps };
  steps = [];
  for (const object of net.values()) {
    const isChanged = object.contents !== undefined && !isNew(object);
    if (isGoing(object) || isInBooksOnly(object)) continue;
    if (isChanged || filled.has(object.fid)) steps.push(contentsStep(tree, object, kept));
  }
  yield { together: true, steps };
  return filled;
}

/** As long as its contents are not all there, a program runs as whoever runs it, and can no more. */
export function unprivileged(step: MakeStep): MakeStep {
  const { mode } = step.attributes;
  const attributes =
    mode === undefined ? step.attributes : { ...step.attributes, mode: mode & ~SET_ID };
  return { ...step, attributes, xattrs: step.xattrs.filter(({ name }) => name !== CAPABILITY) };
}

function hasData({ contents }: NetObject): boolean {
  return contents?.written === true;
}

function contentsStep(tree: CopyTree, object: NetObject, kept: KeptContents): Step {
  const { fid, contents } = object;
  const place = must(tree.object(fid)?.names[0], 'the place of a changed file');
  // Of a file that only changed its size nothing is to be written: what came belongs to later records.
  const parts = hasData(object) ? kept.partsOf(fid) : [];
  const { cut, size } = must(contents, 'changed contents');
  const at = stepPlace(tree, place);
  return { do: 'contents', fid, at, cut, parts, size, expect: expected(tree, fid) };
}

/** All contents from the start if they are small; holes between the parts as zeros. */
function smallContents(
  { fid, contents }: NetObject,
  kept: KeptContents,
): Uint8Array | 'large' | undefined {
  const parts: Part[] = [];
  let end = 0;
  for (const part of kept.partsOf(fid)) {
    if (part.kind === 'gone') continue;
    parts.push(part);
    if (part.kind === 'data') end = Math.max(end, part.offset + part.bytes.length);
    if (end > CONTENTS_WITH_FILE_MAX || parts.length > CONTENTS_WITH_FILE_MAX) return 'large';
  }
  end = Math.min(end, contents?.size ?? 0);
  return end === 0 ? undefined : joined(parts, end);
}

function joined(parts: readonly Part[], end: number): Uint8Array {
  const [first] = parts;
  if (parts.length === 1 && first?.kind === 'data' && first.offset === 0) {
    return first.bytes.subarray(0, end);
  }
  const whole = Buffer.alloc(end);
  for (const part of parts) {
    const start = Math.min(part.offset, end);
    if (part.kind === 'data') whole.set(part.bytes.subarray(0, end - start), start);
    else whole.fill(0, start, Math.min(part.offset + part.length, end));
  }
  return whole;
}
