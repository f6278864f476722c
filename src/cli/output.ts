/** Standard output and error, as far as commands need them. */
import type { Writable } from 'node:stream';
import { harmlessText } from '../base/printable.js';

/** Whoever read our output went away: the command ends quietly, as `head` expects. */
export class BrokenPipe extends Error {
  override readonly name = 'BrokenPipe';
}

export interface OutputOptions {
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** May the output carry colours? */
  readonly color: boolean;
}

const BOLD = '1';
const DIM = '2';

export class Output {
  readonly color: boolean;
  /** Aborts when the reader of standard output is gone. */
  readonly closed: AbortSignal;
  readonly #stdout: Writable;
  readonly #stderr: Writable;

  constructor({ stdout, stderr, color }: OutputOptions) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.color = color;
    const gone = new AbortController();
    this.closed = gone.signal;
    stdout.on('error', () => gone.abort(new BrokenPipe()));
  }

  /** Resolves when the bytes have left; throws BrokenPipe when nobody takes them. */
  write(data: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stdout.write(data, (error) => {
        if (error) reject(new BrokenPipe('standard output', { cause: error }));
        else resolve();
      });
    });
  }

  line(text: string): Promise<void> {
    return this.write(`${text}\n`);
  }

  json(value: unknown): Promise<void> {
    return this.line(JSON.stringify(value));
  }

  /** A message on standard error; what others wrote may be in it, and a terminal must not obey that. */
  message(text: string): void {
    this.#stderr.write(`feedfs: ${harmlessText(text)}\n`);
  }

  bold(text: string): string {
    return this.#style(BOLD, text);
  }

  dim(text: string): string {
    return this.#style(DIM, text);
  }

  #style(code: string, text: string): string {
    return this.color ? `\u001b[${code}m${text}\u001b[0m` : text;
  }
}

/** Columns padded to the widest cell; `right` names those that are right-aligned. */
export function table(rows: readonly (readonly string[])[], right: ReadonlySet<number>): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, i) =>
        right.has(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}
