/** A store whose rows and pages are damaged: opening, reading, fsck and fsck --repair. */
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { must } from '../../src/base/assert.js';
import { removeFolder, TEMP_PREFIX } from '../support/mount.js';
import { exitOf, within } from '../support/processes.js';
import type { Random } from '../support/random.js';
import { damagesPages, STEP_BYTES } from './damage-program.js';
import { makeFrozenStore } from './frozen.js';
import { noise } from './mutate.js';
import type { Subject, Target } from './target.js';

const CHILD = fileURLToPath(new URL('./store-child.js', import.meta.url));
const STEPS_MAX = 6;
const ANSWER_MS = 20_000;

export const stores: Target = {
  name: 'stores',
  holds:
    'a damaged store is refused or read as far as it can be, repaired once for all, and nothing crashes or hangs',
  cases: 150,
  open: async () => {
    const folder = fs.mkdtempSync(join(tmpdir(), TEMP_PREFIX));
    await makeFrozenStore(join(folder, 'store'));
    return new Stores(folder);
  },
};

class Stores implements Subject {
  readonly shrinkChecksMax = 60;
  readonly #folder: string;
  #child: { readonly process: ChildProcess; readonly lines: Interface } | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  generate(random: Random): Uint8Array {
    const steps = 1 + random.below(STEPS_MAX);
    const program = Buffer.alloc(1 + steps * STEP_BYTES);
    for (let i = 0; i < program.length; i++) program[i] = random.below(256);
    // A page differs in a bit as often as in a word.
    if (damagesPages(program)) {
      for (let at = 1; at < program.length; at += STEP_BYTES) {
        if (random.chance(50)) program.writeUInt32LE((1 << random.below(32)) >>> 0, at + 4);
      }
    }
    return random.chance(2) ? noise(random, program.length) : program;
  }

  async check(input: Uint8Array): Promise<void> {
    const { process: child, lines } = this.#running();
    const answer = new Promise<string>((resolve) => {
      lines.once('line', resolve);
      lines.once('close', () => resolve('gone'));
    });
    child.stdin?.write(`${Buffer.from(input).toString('hex')}\n`);
    let said: string;
    try {
      said = await within(answer, ANSWER_MS, 'an answer');
    } catch (error) {
      await this.#end();
      throw error;
    }
    lines.removeAllListeners();
    if (said === 'ok') return;
    if (said !== 'gone') throw new Error(JSON.parse(said) as string);
    const { code, signal } = await exitOf(child);
    this.#child = undefined;
    throw new Error(`the process ended with ${signal ?? code}`);
  }

  async close(): Promise<void> {
    await this.#end();
    removeFolder(this.#folder);
  }

  #running(): { readonly process: ChildProcess; readonly lines: Interface } {
    if (this.#child !== undefined) return this.#child;
    const args = [CHILD, join(this.#folder, 'store'), this.#folder];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = { process: child, lines: createInterface({ input: must(child.stdout, 'pipe') }) };
    return this.#child;
  }

  async #end(): Promise<void> {
    const child = this.#child?.process;
    this.#child = undefined;
    if (child === undefined) return;
    child.kill('SIGKILL');
    await exitOf(child);
  }
}
