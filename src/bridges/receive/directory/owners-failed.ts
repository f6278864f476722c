/**
 * Remembers in the state directory that some object of the copy has another owner than the
 * source's. Set-id bits that come later without an owner could then let everybody act as
 * whoever receives, so the receivers that follow have to know it.
 */
import * as fs from 'node:fs';
import type { Shortfalls } from './shortfalls.js';

const FILE = 'owners-failed';

export class OwnersFailed {
  readonly #file: string;
  readonly #shortfalls: Shortfalls;
  #kept: boolean;

  constructor(stateDirectory: string, shortfalls: Shortfalls) {
    this.#file = `${stateDirectory}/${FILE}`;
    this.#shortfalls = shortfalls;
    this.#kept = fs.existsSync(this.#file);
    if (this.#kept) shortfalls.setOwnersFailed();
  }

  /** On disk before the steps are taken for done. Throws what Node's own calls throw. */
  keep(): void {
    if (this.#kept || !this.#shortfalls.ownersFailed) return;
    fs.writeFileSync(this.#file, '', { flush: true, mode: 0o600 });
    this.#kept = true;
  }
}
