/** Which frame may follow which: frame.ts draws it. */
import { unreachable } from '../../base/assert.js';
import type { LogPlace } from '../../rpc/baseline.js';
import type { Commit, Frame, StreamHeader } from './frame.js';
import { StreamError, type StreamPlace } from './stream-error.js';

type Phase =
  /** Nothing came yet. */
  | 'start'
  /** Entries and contents, and then one commit. */
  | 'baseline'
  /** Between two commits there is nothing. */
  | 'between'
  /** Records came, and are not closed. */
  | 'records'
  | 'end';

/** Told of every frame in turn. */
export class FrameOrder {
  #phase: Phase = 'start';
  #hasEntries = false;
  /** Where the next commit must begin. */
  #place: LogPlace | undefined;

  /** Nothing that follows is needed. */
  get hasEnded(): boolean {
    return this.#phase === 'end';
  }

  /** For the message about a stream that ends too early. */
  get unfinished(): string {
    if (this.#phase === 'baseline') return 'inside its baseline';
    return this.#phase === 'records' ? 'before a commit' : 'before its end';
  }

  /** Throws StreamError `order` if that frame cannot stand here. */
  check(frame: Frame, at: StreamPlace): void {
    const problem = this.#next(frame);
    if (problem !== undefined) throw new StreamError('order', at, problem);
  }

  #next(frame: Frame): string | undefined {
    if (this.#phase === 'end') return 'something follows the end';
    if ((this.#phase === 'start') !== (frame.kind === 'header')) {
      return this.#phase === 'start'
        ? `it begins with a frame of type ${frame.kind}`
        : 'a second header';
    }
    switch (frame.kind) {
      case 'header':
        return this.#begin(frame.header);
      case 'entries':
        this.#hasEntries = true;
        return this.#phase === 'baseline' ? undefined : 'entries where no baseline is';
      case 'records':
        if (this.#phase === 'baseline') return 'records inside a baseline';
        this.#phase = 'records';
        return undefined;
      case 'data':
      case 'hole':
      case 'gone':
        return this.#isOpen() ? undefined : 'contents that belong to nothing';
      case 'commit':
        return this.#isOpen() ? this.#commit(frame) : 'a commit of nothing';
      case 'idle':
        return this.#phase === 'between' ? undefined : 'idle before a commit';
      case 'end':
        if (this.#phase !== 'between') return 'the end before a commit';
        this.#phase = 'end';
        return undefined;
      default:
        return unreachable(frame);
    }
  }

  #begin({ kind, from }: StreamHeader): undefined {
    this.#phase = kind === 'baseline' ? 'baseline' : 'between';
    this.#place = from;
    return undefined;
  }

  #isOpen(): boolean {
    return this.#phase === 'records' || (this.#phase === 'baseline' && this.#hasEntries);
  }

  #commit({ from, to }: Commit): string | undefined {
    const expected = this.#place;
    this.#phase = 'between';
    this.#place = to;
    if (expected === undefined || from === undefined) {
      return expected === from ? undefined : 'a commit that does not fit what it closes';
    }
    if (!isSamePlace(expected, from)) {
      return `a commit from record ${from.index}, where record ${expected.index} comes next`;
    }
    return isAfter(to, from) ? undefined : 'a commit that goes back';
  }
}

export function isSamePlace(a: LogPlace, b: LogPlace): boolean {
  return a.epoch === b.epoch && a.offset === b.offset && a.index === b.index;
}

function isAfter(a: LogPlace, b: LogPlace): boolean {
  if (a.index <= b.index) return false;
  return a.epoch === b.epoch ? a.offset > b.offset : a.epoch > b.epoch;
}
