/**
 * Table `pass`: what each indexed feed takes of the blocks. The rows of a feed go on from
 * one another; each fits its block; and every block that a feed owes something of is there.
 *
 * The rows of a feed that is gone are no finding: they are removed in the background. A row
 * is never mended: what a feed takes was judged when the change was made, and nothing else
 * tells.
 */
import type { LogBlock } from '../../feed/log-block.js';
import { decodePassRow, isFull, type PassRow, passes } from '../../feed/pass-row.js';
import type { Position } from '../../feed/position.js';
import { between, NOTHING, plus, type Sums } from '../../feed/sums.js';
import type { Inspection } from '../../store/inspection.js';
import { logKey, partsOfPassKey } from '../../store/keys.js';
import type { FeedsFound, FoundFeed } from './check-feeds.js';
import type { Meta } from './check-meta.js';
import { isExactKey } from './exact-key.js';
import { type Findings, showName } from './findings.js';
import { PASS_ROWS_KEPT_MAX } from './limits.js';

interface FoundRow {
  readonly found: FoundFeed;
  readonly epoch: number;
  readonly row: PassRow;
}

export class PassCheck {
  readonly #findings: Findings;
  /** By the key of the block: what the log has still to show. Bounded; what is beyond is not compared. */
  readonly #waiting = new Map<string, FoundRow[]>();
  #kept = 0;
  #before: FoundRow | undefined;

  constructor(store: Inspection, meta: Meta, { feeds }: FeedsFound, findings: Findings) {
    this.#findings = findings;
    for (const { key, value } of store.entries('pass')) {
      findings.saw('pass rows');
      const removal = { do: 'remove', table: 'pass', key } as const;
      if (!isExactKey(key, 16, 8)) {
        const where = `pass row ${key.toString('hex')}`;
        findings.add('damaged-key', where, 'not a feed and an offset', removal);
        continue;
      }
      const { feed: id, epoch, offset } = partsOfPassKey(key);
      const where = `pass row at ${offset} of feed ${id}`;
      const found = feeds.get(id);
      if (found === undefined || found.feed.expired) {
        const isUnknown = meta.nextFeedId !== undefined && id >= meta.nextFeedId;
        if (isUnknown) findings.add('stray-value', where, 'there was no such feed', removal);
        continue;
      }
      const problem = strayness(found, epoch, offset);
      if (problem !== undefined) {
        findings.add('stray-value', where, problem, removal);
        continue;
      }
      const row = value === undefined ? undefined : decodeSafely(offset, value);
      if (row === undefined) {
        const message = 'its checksum or length is wrong: the feed is shown all of the block';
        findings.add('bad-pass', where, message);
        this.#before = undefined;
      } else this.#row({ found, epoch, row });
    }
  }

  /** A row, in the order of feeds, epochs and offsets. */
  #row(next: FoundRow): void {
    const { found, epoch, row } = next;
    const before = this.#before;
    const follows = before?.found === found && before.epoch === epoch ? before : undefined;
    const problem = this.#problem(next, follows?.row);
    if (problem !== undefined) this.#bad(next, problem);
    this.#before = next;
    if (this.#kept >= PASS_ROWS_KEPT_MAX) return;
    this.#kept++;
    const key = keyOf(epoch, row.start.offset);
    const others = this.#waiting.get(key);
    if (others === undefined) this.#waiting.set(key, [next]);
    else others.push(next);
  }

  #problem({ found, epoch, row }: FoundRow, before: PassRow | undefined): string | undefined {
    const { own } = row;
    let count = 0;
    for (let i = 0; i < row.end.index - row.start.index; i++) if (passes(row, i)) count++;
    if (count !== own.index) return `counts ${own.index} records and marks ${count}`;
    const all = between(row.start, row.end);
    if (own.offset > all.offset || own.text > all.text) return 'is more than its block';
    if (before === undefined) return undefined;
    if (before.end.offset > row.start.offset) return 'overlaps the one before';
    const passed = plus(before.before, before.own);
    // Rows of blocks that the feed has cancelled are removed.
    const gap = found.cancelledIn(epoch).after(before.start.offset);
    const mayLack = gap !== undefined && gap.start.offset < row.start.offset;
    const goesOn = mayLack ? isAtMost(passed, row.before) : isSame(passed, row.before);
    return goesOn ? undefined : 'does not go on where the one before ends';
  }

  /** A block of the log that is whole. */
  block(epoch: number, block: LogBlock): void {
    const key = keyOf(epoch, block.head.start.offset);
    for (const found of this.#waiting.get(key) ?? []) {
      const problem = misfit(found.row, block);
      if (problem !== undefined) this.#bad(found, problem);
    }
    this.#waiting.delete(key);
  }

  /** A block that is there, and cannot be compared. */
  skip(epoch: number, offset: number): void {
    this.#waiting.delete(keyOf(epoch, offset));
  }

  finish(): void {
    for (const rows of this.#waiting.values()) {
      for (const { found, epoch, row } of rows) {
        const { start, end } = row;
        if (found.cancelledIn(epoch).covers(start.offset, end.offset)) continue;
        const name = showName(found.feed.name);
        const where = `log from ${start.offset} to ${end.offset}`;
        const message = `is gone, but feed ${name} owes some of it`;
        this.#findings.add('missing-block', where, message);
      }
    }
  }

  #bad({ found, row }: FoundRow, message: string): void {
    const where = `pass row at ${row.start.offset} of feed ${showName(found.feed.name)}`;
    this.#findings.add('bad-pass', where, message);
  }
}

/** Why a feed cannot have a row there; undefined if it can. */
function strayness({ feed }: FoundFeed, epoch: number, offset: number): string | undefined {
  const { indexedFrom } = feed;
  if (indexedFrom === undefined) return 'the feed takes every record';
  const before =
    epoch < indexedFrom.epoch || (epoch === indexedFrom.epoch && offset < indexedFrom.at.offset);
  return before ? 'before its index begins the feed takes every record' : undefined;
}

/** What is wrong with the row of a block. */
function misfit(row: PassRow, { head, positions }: LogBlock): string | undefined {
  const { start, end } = head;
  if (!isSame(row.start, start) || !isSame(row.end, end)) return 'is of another block';
  if (isFull(row)) return isSame(row.own, between(start, end)) ? undefined : 'counts wrongly';
  let own: Sums = NOTHING;
  for (let i = 0; i + 1 < positions.length; i++) {
    const [from, to] = [positions[i], positions[i + 1]];
    if (from !== undefined && to !== undefined && passes(row, i))
      own = plus(own, between(from, to));
  }
  return isSame(own, row.own) ? undefined : 'counts wrongly';
}

function decodeSafely(offset: number, value: Buffer): PassRow | undefined {
  try {
    return decodePassRow(offset, value);
  } catch {
    return undefined;
  }
}

function keyOf(epoch: number, offset: number): string {
  return logKey(epoch, offset).toString('latin1');
}

function isSame(a: Sums | Position, b: Sums | Position): boolean {
  return a.offset === b.offset && a.index === b.index && a.text === b.text;
}

function isAtMost(a: Sums, b: Sums): boolean {
  return a.offset <= b.offset && a.index <= b.index && a.text <= b.text;
}
