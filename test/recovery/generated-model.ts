/** What programs on several mounts have made of the filesystem, and the calls that are on their way. */
import * as assert from 'uvu/assert';
import type { Fid } from '../../src/base/fid.js';
import type { FakeReply } from '../support/fake-reply.js';
import type { Random } from '../support/random.js';
import type { Mount } from './mount.js';

const NAMES = Array.from({ length: 10 }, (_, i) => `n${i}`);

/** FEEDFS_TRACE=1: all that happens. */
export const TRACE = process.env.FEEDFS_TRACE !== undefined;

export interface ModelFile {
  readonly fid: Fid;
  readonly isDirectory: boolean;
  names: number;
  contents: Buffer;
  /** The open that has it locked. */
  lockedBy: Open | undefined;
}

export interface Open {
  readonly mount: Mount;
  readonly file: ModelFile;
  readonly fh: number;
}

export interface Pending {
  readonly reply: FakeReply;
  readonly what: string;
  /** What it must be answered. */
  readonly expected: string;
  /** Names and files that nobody else changes meanwhile. */
  readonly busy: readonly unknown[];
  readonly done: (reply: FakeReply) => void;
}

export class Model {
  readonly names = new Map<string, ModelFile>();
  opens: Open[] = [];
  pending: Pending[] = [];
  /** Records of each kind that must be in the feed. */
  readonly made = new Map<string, number>();
  readonly #busy = new Set<unknown>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Those that are answered must be so as the model says. */
  reap(): void {
    const ended = this.pending.filter(({ reply }) => reply.answered);
    if (ended.length === 0) return;
    this.pending = this.pending.filter((one) => !ended.includes(one));
    for (const { reply, what, expected, busy, done } of ended) {
      for (const one of busy) this.#busy.delete(one);
      if (TRACE) console.error(`ended: ${what}: ${reply.outcome}`);
      assert.is(reply.outcome, expected, what);
      done(reply);
    }
  }

  /** It is on its way. */
  ask(pending: Pending): void {
    for (const one of pending.busy) this.#busy.add(one);
    this.pending.push(pending);
    if (TRACE) console.error(`begins: ${pending.what}`);
  }

  /** One that nobody else changes meanwhile; undefined: the one that was drawn is not free. */
  freeName(): string | undefined {
    const name = this.#random.pick(NAMES);
    return name === undefined || this.#busy.has(name) ? undefined : name;
  }

  freeOpen(): Open | undefined {
    const open = this.#random.pick(this.opens);
    return open === undefined || this.#busy.has(open.file) ? undefined : open;
  }

  /** A record of it must be in the feed. */
  count(op: string): void {
    this.made.set(op, (this.made.get(op) ?? 0) + 1);
  }
}
