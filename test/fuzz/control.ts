/**
 * Everything that can be written to, asked of or done with the files of a feed on a mounted
 * filesystem: no part of it may take effect unless all does, and the daemon goes on.
 *
 * An input is a sequence of steps: what u8, length u8, and so many bytes.
 */
import { deepEqual } from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must } from '../../src/base/assert.js';
import { parseFilter } from '../../src/feed/filter.js';
import { parsePolicy } from '../../src/feed/policy.js';
import { removeFolder, TEMP_PREFIX, TestMount } from '../support/mount.js';
import type { Random } from '../support/random.js';
import { type Setting, type Settings, STEPS, tried } from './control-steps.js';
import { mutate } from './mutate.js';
import { FILTERS, POLICIES, SETTING_WORDS } from './settings.js';
import type { Subject, Target } from './target.js';

const CLEARS = [
  'clear:cl1:0',
  'clear:cl1:3',
  'clear:cl2:18446744073709551615',
  'clear:cl1:-1',
  'clear',
  '\0',
];
const STEPS_MAX = 6;
const STEP_BYTES_MAX = 255;
const FEED = 'fuzzed';

export const control: Target = {
  name: 'control',
  holds: 'a write takes effect whole or not at all, with an errno, and the daemon goes on',
  cases: 200,
  open: async () => {
    const folder = fs.mkdtempSync(join(tmpdir(), TEMP_PREFIX));
    const mount = new TestMount(folder, { options: 'user_watch' });
    try {
      await mount.mount();
    } catch (error) {
      await mount.destroy();
      removeFolder(folder);
      throw error;
    }
    return new Control(mount);
  },
};

class Control implements Subject {
  readonly shrinkChecksMax = 100;
  readonly #mount: TestMount;
  readonly #folder: string;

  constructor(mount: TestMount) {
    this.#mount = mount;
    this.#folder = join(mount.mnt, '.lustre', 'feeds', FEED);
  }

  generate(random: Random): Uint8Array {
    const steps = Array.from({ length: 1 + random.below(STEPS_MAX) }, () => {
      const what = random.below(STEPS.length);
      const payload = this.#payload(what, random).subarray(0, STEP_BYTES_MAX);
      return Buffer.concat([Buffer.from([what, payload.length]), payload]);
    });
    return Buffer.concat(steps);
  }

  #payload(what: number, random: Random): Buffer {
    const texts = what === 1 ? POLICIES : what === 5 ? CLEARS : FILTERS;
    const text = Buffer.from(must(random.pick(texts), 'text'));
    if (random.chance(30)) return text;
    return mutate(text.length > 0 ? text : Buffer.alloc(16), random, SETTING_WORDS);
  }

  async check(input: Uint8Array): Promise<void> {
    // A feed of its own for each input: what one did must not matter to the next.
    fs.rmSync(join(this.#mount.mnt, 'file'), { force: true });
    tried(() => fs.rmdirSync(this.#folder));
    fs.mkdirSync(this.#folder);
    tried(() => fs.writeFileSync(join(this.#mount.mnt, 'file'), 'contents'));
    for (let at = 0; at + 1 < input.length; ) {
      const step = must(STEPS[(input[at] ?? 0) % STEPS.length], 'step');
      const length = input[at + 1] ?? 0;
      const before = this.#settings();
      const expected = await step(
        this,
        Buffer.from(input.subarray(at + 2, at + 2 + length)),
        before,
      );
      this.#compare(expected);
      at += 2 + length;
    }
    fs.statfsSync(this.#mount.mnt);
    JSON.parse(fs.readFileSync(this.path('info'), 'utf8'));
  }

  show(input: Uint8Array): string {
    return JSON.stringify(Buffer.from(input).toString('latin1'));
  }

  async close(): Promise<void> {
    await this.#mount.destroy();
    removeFolder(this.#mount.folder);
  }

  path(file: string): string {
    return file === 'watch' ? join(this.#mount.mnt, '.lustre', 'watch') : join(this.#folder, file);
  }

  #settings(): Settings {
    const read = (file: Setting): string => fs.readFileSync(this.path(file), 'utf8');
    return { filter: read('filter'), policy: read('policy') };
  }

  /** What the settings mean must be one of these. */
  #compare(expected: readonly Settings[]): void {
    const now = meaning(this.#settings());
    if (expected.some((one) => same(meaning(one), now))) return;
    deepEqual(now, meaning(must(expected[0], 'settings')));
  }
}

function meaning({ filter, policy }: Settings): unknown {
  return { filter: parseFilter(filter), policy: parsePolicy(policy) };
}

function same(a: unknown, b: unknown): boolean {
  try {
    deepEqual(a, b);
    return true;
  } catch {
    return false;
  }
}
