/** What was found and not taken yet. */
import type { Finding, Side } from './finding.js';

export class Findings {
  #list: Finding[] = [];

  add(finding: Finding): void {
    this.#list.push(finding);
  }

  take(): readonly Finding[] {
    const list = this.#list;
    if (list.length > 0) this.#list = [];
    return list;
  }

  trouble(path: string, side: Side | undefined, message: string): void {
    this.add({ kind: 'trouble', path, side, message });
  }

  /** What a system call on one side gives; undefined if it fails, which is then told. */
  attempt<T>(path: string, side: Side, call: () => T): T | undefined {
    try {
      return call();
    } catch (error) {
      this.failed(path, side, error);
      return undefined;
    }
  }

  /** Tells of a system call that failed; throws what is no such thing. */
  failed(path: string, side: Side | undefined, error: unknown): void {
    const { code, syscall } = callOf(error);
    if (code === undefined) throw error;
    // It was listed a moment ago, or was something else then.
    const isGone = code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP';
    const message = isGone
      ? `changed while it was compared (${code}: ${syscall})`
      : `cannot be read (${code}: ${syscall})`;
    this.trouble(path, side, message);
  }
}

function callOf(error: unknown): { code: string | undefined; syscall: string } {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') {
    return { code: undefined, syscall: '' };
  }
  return { code: error.code, syscall: 'syscall' in error ? `${error.syscall}` : '' };
}
