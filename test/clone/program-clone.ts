/** A copy of the mount that a program works on: begun before it, compared after it. */
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestMount } from '../support/mount.js';
import { assertIdentical, clone, quiesce } from './cloning.js';

const FEED = 'clone';

export class ProgramClone {
  readonly #mount: TestMount;
  readonly #target: string;
  readonly #state: string;

  /** The copy is made beside `beside`, where there is room for what the program makes. */
  constructor(mount: TestMount, beside: string) {
    this.#mount = mount;
    this.#target = join(dirname(beside), 'program-clone');
    this.#state = join(mount.folder, 'program-clone-state');
  }

  async begin(): Promise<void> {
    fs.mkdirSync(this.#target);
    this.#mount.feed(FEED);
    await this.#update('--baseline');
  }

  /** Brings the copy up to date by the records alone; throws if it is not like the mount then. */
  async check(): Promise<void> {
    await this.#update('--from', 'last');
    await assertIdentical(this.#mount.mnt, this.#target);
    fs.rmSync(this.#target, { recursive: true });
  }

  async #update(...args: string[]): Promise<void> {
    const { mnt } = this.#mount;
    quiesce(mnt);
    const receiver = { target: this.#target, args: ['--state', this.#state] };
    await clone({ mnt, feed: FEED, args }, receiver);
  }
}
