/**
 * Steps on their way to another thread. All bytes of a message lie in one buffer that is
 * handed over, not copied; what a file gets is gone through here, for an iterator cannot
 * travel.
 */
import type { Contents } from '../../stream/frame.js';
import { MESSAGE_CONTENTS_BYTES_MAX } from './hands-limits.js';
import type { Step, StepXattr } from './steps.js';

export type ContentsStep = Extract<Step, { do: 'contents' }>;

/** A step that can travel, or one that has too much to carry. */
export type Travelling =
  | { readonly travels: true; readonly step: Step; readonly bytes: number }
  | { readonly travels: false; readonly step: Step };

/** Goes through the contents of a step, once. Steps in the limbo stay here. */
export function prepare(step: Step): Travelling {
  if (isInLimbo(step)) return { travels: false, step };
  if (step.do === 'contents') return takeContents(step);
  return { travels: true, step, bytes: bytesOf(step) };
}

function isInLimbo(step: Step): boolean {
  const places = step.do === 'rename' || step.do === 'link' ? [step.from, step.to] : [step.at];
  return places.some(({ directory }) => directory === undefined || directory.startsWith('/'));
}

function takeContents(step: ContentsStep): Travelling {
  const parts: Contents[] = [];
  const iterator = step.parts[Symbol.iterator]();
  let bytes = 0;
  for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
    const part = next.value;
    if (part.kind === 'data') {
      bytes += part.bytes.length;
      if (bytes > MESSAGE_CONTENTS_BYTES_MAX) {
        return { travels: false, step: { ...step, parts: chain([...parts, part], iterator) } };
      }
      // Whoever gives it may use the buffer again for the next.
      parts.push({ ...part, bytes: new Uint8Array(part.bytes) });
    } else parts.push(part);
  }
  return { travels: true, step: { ...step, parts }, bytes };
}

function* chain(first: readonly Contents[], rest: Iterator<Contents>): Iterable<Contents> {
  yield* first;
  for (let next = rest.next(); next.done !== true; next = rest.next()) yield next.value;
}

function bytesOf(step: Step): number {
  if (step.do !== 'make' && step.do !== 'attributes') return 0;
  let bytes = step.do === 'make' ? (step.contents?.length ?? 0) : 0;
  for (const { value } of step.xattrs) bytes += value?.length ?? 0;
  return bytes;
}

export interface Packed {
  readonly steps: readonly Step[];
  /** Holds all bytes of them: to be handed over. */
  readonly buffer: ArrayBuffer;
}

/** `bytes`: what {@link prepare} said, of all of them. */
export function pack(steps: readonly Step[], bytes: number): Packed {
  const buffer = new ArrayBuffer(bytes);
  let at = 0;
  const put = (value: Uint8Array): Uint8Array => {
    const copy = new Uint8Array(buffer, at, value.length);
    copy.set(value);
    at += value.length;
    return copy;
  };
  const putXattr = (xattr: StepXattr): StepXattr =>
    xattr.value === undefined ? xattr : { name: xattr.name, value: put(xattr.value) };
  const putPart = (part: Contents): Contents =>
    part.kind === 'data' ? { ...part, bytes: put(part.bytes) } : part;
  const packed = steps.map((step): Step => {
    if (step.do === 'make') {
      const { contents, xattrs } = step;
      if (contents === undefined && xattrs.length === 0) return step;
      return {
        ...step,
        contents: contents === undefined ? undefined : put(contents),
        xattrs: xattrs.map(putXattr),
      };
    }
    if (step.do === 'attributes' && step.xattrs.length > 0) {
      return { ...step, xattrs: step.xattrs.map(putXattr) };
    }
    if (step.do === 'contents') return { ...step, parts: Array.from(step.parts, putPart) };
    return step;
  });
  return { steps: packed, buffer };
}
