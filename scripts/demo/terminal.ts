/** What the demo shows while it runs: one line, rewritten on a terminal, else one line per step. */

const CLEAR_LINE = '\r\u001b[2K';
const REFRESH_MS = 100;

export class Progress {
  #last = 0;
  #live = process.stdout.isTTY === true;

  /** A finished step. */
  step(text: string): void {
    process.stdout.write(`${this.#live ? CLEAR_LINE : ''}${text}\n`);
  }

  /** Where the running step is; shown on a terminal only, and not too often. */
  now(text: () => string): void {
    if (!this.#live || performance.now() - this.#last < REFRESH_MS) return;
    this.#last = performance.now();
    process.stdout.write(`${CLEAR_LINE}${text().slice(0, (process.stdout.columns ?? 80) - 1)}`);
  }

  clear(): void {
    if (this.#live) process.stdout.write(CLEAR_LINE);
  }
}

/** 12345 → 12,345 */
export function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Rows of a name and a value, the values aligned. */
export function formatRows(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}\n`).join('');
}

/** The value below which `share` (0..1) of the samples are. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
