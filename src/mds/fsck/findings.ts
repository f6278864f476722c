/** Collects what fsck finds, and what would mend it, in bounded memory. */
import { assert } from '../../base/assert.js';
import { type Fid, formatFid } from '../../base/fid.js';
import { nameToText } from '../../base/name.js';
import { FINDINGS_PER_KIND_MAX } from './limits.js';
import type { Mend } from './mend.js';
import type { MendQueue } from './mend-queue.js';
import { MENDABLE } from './mendable.js';

/**
 * What sort of damage, as one word. Each has its row in store/FORMAT.md, "What fsck
 * finds", and its rule in mendable.ts.
 */
export type FindingKind =
  | 'damaged-file'
  | 'missing-file'
  | 'missing-table'
  | 'lost-transaction'
  | 'damaged-page'
  | 'damaged-key'
  | 'damaged-value'
  | 'damaged-record'
  | 'damaged-block'
  | 'log-chain'
  | 'missing-block'
  | 'bad-range'
  | 'bad-pass'
  | 'bad-feed'
  | 'bad-inode'
  | 'bad-fid'
  | 'inode-count'
  | 'missing-root'
  | 'bad-entry'
  | 'dangling-entry'
  | 'stray-entry'
  | 'wrong-parent'
  | 'wrong-name'
  | 'missing-link'
  | 'stray-link'
  | 'entry-count'
  | 'link-count'
  | 'unreachable-inode'
  | 'lost-inode'
  | 'bad-orphan'
  | 'bad-value'
  | 'stray-value'
  | 'missing-contents'
  | 'garbage-object';

export interface FsckFinding {
  readonly kind: FindingKind;
  /** The object, entry, record or file that it is about. */
  readonly where: string;
  readonly message: string;
}

export interface FsckReport {
  readonly findings: readonly FsckFinding[];
  /** How many of each sort of thing were looked at. */
  readonly checked: Readonly<Record<string, number>>;
}

/** LMDB maps its file and believes it: what is wrong with its pages can end the process. */
const BLOCKING: ReadonlySet<FindingKind> = new Set([
  'damaged-page',
  'damaged-file',
  'missing-file',
]);

export class Findings {
  readonly #list: FsckFinding[] = [];
  readonly #perKind = new Map<FindingKind, number>();
  readonly #checked = new Map<string, number>();
  readonly #queue: MendQueue | undefined;
  #blocked = false;

  /** Without a queue nothing is to be mended, and no mend is kept. */
  constructor(queue?: MendQueue) {
    this.#queue = queue;
  }

  /** `mends`: what would make it good, if this one can be. Keys and values in them are copied. */
  add(kind: FindingKind, where: string, message: string, ...mends: readonly Mend[]): void {
    const count = (this.#perKind.get(kind) ?? 0) + 1;
    this.#perKind.set(kind, count);
    if (count <= FINDINGS_PER_KIND_MAX) this.#list.push({ kind, where, message });
    const mendable = 'how' in MENDABLE[kind];
    assert(mendable || mends.length === 0, () => `${kind} has a mend, and its rule says never`);
    if (mends.length === 0 && BLOCKING.has(kind)) this.#blocked = true;
    const finding = { kind, where, message };
    for (const mend of mends) this.#queue?.add(finding, mend);
  }

  /** Something without a mend makes it unsafe to open the store at all. */
  get blocked(): boolean {
    return this.#blocked;
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
