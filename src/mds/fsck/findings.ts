/** Collects what fsck finds, in bounded memory. */
import { type Fid, formatFid } from '../../base/fid.js';
import { nameToText } from '../../base/name.js';
import { FINDINGS_PER_KIND_MAX } from './limits.js';

export interface FsckFinding {
  /** What sort of damage, as one word: `damaged-value`, `link-count` … */
  readonly kind: string;
  /** The object, entry, record or file that it is about. */
  readonly where: string;
  readonly message: string;
}

export interface FsckReport {
  readonly findings: readonly FsckFinding[];
  /** How many of each sort of thing were looked at. */
  readonly checked: Readonly<Record<string, number>>;
}

export class Findings {
  readonly #list: FsckFinding[] = [];
  readonly #perKind = new Map<string, number>();
  readonly #checked = new Map<string, number>();

  add(kind: string, where: string, message: string): void {
    const count = (this.#perKind.get(kind) ?? 0) + 1;
    this.#perKind.set(kind, count);
    if (count <= FINDINGS_PER_KIND_MAX) this.#list.push({ kind, where, message });
  }

  /** One more of `what` was looked at. */
  saw(what: string, count = 1): void {
    this.#checked.set(what, (this.#checked.get(what) ?? 0) + count);
  }

  report(): FsckReport {
    const findings = [...this.#list];
    for (const [kind, count] of this.#perKind) {
      const more = count - FINDINGS_PER_KIND_MAX;
      if (more > 0) findings.push({ kind, where: '(more)', message: `${more} more of this kind` });
    }
    return { findings, checked: Object.fromEntries(this.#checked) };
  }
}

/** `[0x…:0x…:0x…]`, or the plain number of what cannot be a FID. */
export function showFid(fid: number): string {
  return Number.isSafeInteger(fid) && fid > 0 ? formatFid(fid as Fid) : `[${fid}]`;
}

/** A name as a JSON string, bytes that are not UTF-8 in hex. */
export function showName(name: string): string {
  const text = nameToText(name);
  if (text !== undefined) return JSON.stringify(text);
  return `hex ${Buffer.from(name, 'latin1').toString('hex')}`;
}
