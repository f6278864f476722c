/**
 * The books of a copy in a directory: which object of the source is where, known by its
 * inode number, and how far the copy is. An LMDB environment of its own, beside the target.
 *
 * What is put is seen at once by whoever reads here, and is on disk after the next commit:
 * all of it or nothing. One process at a time has it open.
 */
import { closeSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { must } from '../../../base/assert.js';
import { type Fid, formatFid, ROOT_FID } from '../../../base/fid.js';
import { isDirectory } from '../../../base/mode.js';
import type { NamePlace } from '../../../rpc/places.js';
import { StreamRefused } from '../refusal.js';
import { PATHS_KEPT_MAX, ROWS_AT_ONCE } from './state-limits.js';
import { lockDirectory } from './state-lock.js';
import {
  decodeJournal,
  decodeMeta,
  EMPTY_META,
  encodeJournal,
  encodeMeta,
  type JournalEntry,
  type StateMeta,
} from './state-meta.js';
import {
  childKey,
  decodeObject,
  encodeObject,
  fidKey,
  fidOfKey,
  fidOfValue,
  fidValue,
  nameOfChildKey,
} from './state-row.js';
import { StateTables } from './state-tables.js';
import {
  type CopyObject,
  type CopyTree,
  isLimbo,
  isSameName,
  namesWithout,
  pathBelow,
} from './state-tree.js';

const META_KEY = Buffer.from('state');
const JOURNAL_KEY = Buffer.from('journal');
const NOBODY = 0;

export interface StateOptions {
  /** A commit is on disk when it returns; true unless it says otherwise. */
  readonly durable?: boolean | undefined;
}

export class State implements CopyTree {
  readonly #tables: StateTables;
  readonly #lock: number;
  #meta: StateMeta;
  /** Not committed yet; undefined: it is gone. */
  readonly #objects = new Map<Fid, CopyObject | undefined>();
  readonly #children = new Map<Fid | 0, Map<string, Fid | typeof NOBODY>>();
  readonly #late = new Map<Fid, Buffer | undefined>();
  readonly #paths = new Map<Fid, string>();

  private constructor(tables: StateTables, lock: number, meta: StateMeta) {
    this.#tables = tables;
    this.#lock = lock;
    this.#meta = meta;
  }

  /** Makes it (0700) if it is not there. StreamRefused: somebody has it open, or it is of a newer format. */
  static open(directory: string, { durable = true }: StateOptions = {}): State {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const lock = lockDirectory(directory);
    let tables: StateTables | undefined;
    try {
      mkdirSync(join(directory, 'state'), { recursive: true, mode: 0o700 });
      tables = new StateTables(join(directory, 'state'), durable);
      const row = tables.get('meta', META_KEY);
      return new State(tables, lock, row === undefined ? EMPTY_META : decodeMeta(row, directory));
    } catch (error) {
      closeSync(lock);
      tables?.close();
      throw error;
    }
  }

  /** As committed. */
  get meta(): StateMeta {
    return this.#meta;
  }

  /** What was begun and not ended, as it was committed. */
  get journal(): readonly JournalEntry[] {
    return decodeJournal(this.#tables.get('meta', JOURNAL_KEY));
  }

  /** Rows that wait for the next commit. */
  get uncommitted(): number {
    return this.#objects.size + this.#late.size;
  }

  // ---------------------------------------------------------------- the tree

  object(fid: Fid): CopyObject | undefined {
    if (this.#objects.has(fid)) return this.#objects.get(fid);
    const row = this.#tables.get('object', fidKey(fid));
    return row === undefined ? undefined : decodeObject(row);
  }

  child(parent: Fid | 0, name: string): Fid | undefined {
    const put = this.#children.get(parent)?.get(name);
    if (put !== undefined) return put === NOBODY ? undefined : put;
    const row = this.#tables.get('child', childKey(parent, name));
    return row === undefined ? undefined : fidOfValue(row);
  }

  *children(parent: Fid): Iterable<{ readonly name: string; readonly fid: Fid }> {
    const put = new Map(this.#children.get(parent));
    for (const [name, fid] of put) if (fid !== NOBODY) yield { name, fid };
    const end = fidKey((parent + 1) as Fid);
    let start = fidKey(parent);
    for (;;) {
      const rows = this.#tables.rows('child', start, end, ROWS_AT_ONCE);
      for (const { key, value } of rows) {
        const name = nameOfChildKey(key);
        if (!put.has(name)) yield { name, fid: fidOfValue(value) };
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < ROWS_AT_ONCE) return;
      start = Buffer.concat([last.key, Buffer.alloc(1)]);
    }
  }

  put(fid: Fid, object: CopyObject): void {
    const before = this.object(fid);
    for (const { parent, name } of namesWithout(before?.names ?? [], object.names)) {
      this.#release(fid, parent, name);
    }
    for (const { parent, name } of object.names) this.#childrenOf(parent).set(name, fid);
    this.#objects.set(fid, object);
    if (before !== undefined && isDirectory(object.type)) this.#paths.clear();
  }

  rename(fid: Fid, from: NamePlace | undefined, to: NamePlace | undefined): void {
    const object = must(this.object(fid), 'a known object');
    const names = from ? object.names.filter((name) => !isSameName(name, from)) : [...object.names];
    if (from) this.#release(fid, from.parent, from.name);
    if (to) {
      names.push({ parent: to.parent, name: to.name, seen: 0 });
      this.#childrenOf(to.parent).set(to.name, fid);
    }
    this.#objects.set(fid, { ...object, names });
    if (isDirectory(object.type)) this.#paths.clear();
  }

  forget(fid: Fid): void {
    const before = this.object(fid);
    for (const { parent, name } of before?.names ?? []) this.#release(fid, parent, name);
    this.#objects.set(fid, undefined);
    if (before !== undefined && isDirectory(before.type)) this.#paths.clear();
  }

  path(directory: Fid): string {
    const path = this.findPath(directory);
    if (path !== undefined) return path;
    throw new StreamRefused(`${formatFid(directory)} is nowhere in the copy`);
  }

  findPath(directory: Fid): string | undefined {
    const way: { readonly fid: Fid; readonly name: string }[] = [];
    let [at, path]: [Fid, string | undefined] = [directory, undefined];
    while (path === undefined) {
      if (at === ROOT_FID) path = '';
      else path = this.#paths.get(at);
      if (path !== undefined) break;
      const name = this.object(at)?.names[0];
      if (name === undefined || way.length > PATHS_KEPT_MAX) return undefined;
      way.push({ fid: at, name: isLimbo(name) ? `/${name.name}` : name.name });
      if (name.parent === 0) path = '';
      else at = name.parent;
    }
    if (this.#paths.size + way.length > PATHS_KEPT_MAX) this.#paths.clear();
    for (const { fid, name } of way.reverse()) {
      path = pathBelow(path, name);
      this.#paths.set(fid, path);
    }
    return path;
  }

  #release(fid: Fid, parent: Fid | 0, name: string): void {
    if (this.child(parent, name) === fid) this.#childrenOf(parent).set(name, NOBODY);
  }

  #childrenOf(parent: Fid | 0): Map<string, Fid | typeof NOBODY> {
    const known = this.#children.get(parent);
    if (known !== undefined) return known;
    const made = new Map<string, Fid | typeof NOBODY>();
    this.#children.set(parent, made);
    return made;
  }

  // ---------------------------------------------------------------- rows beside it

  /** Something that is to be done with an object before a baseline ends; undefined: no more. */
  setLate(fid: Fid, row: Buffer | undefined): void {
    this.#late.set(fid, row);
  }

  late(fid: Fid): Buffer | undefined {
    if (this.#late.has(fid)) return this.#late.get(fid);
    const row = this.#tables.get('late', fidKey(fid));
    return row === undefined ? undefined : Buffer.from(row);
  }

  /** As committed, in no order that means anything. */
  *lateRows(): Iterable<{ readonly fid: Fid; readonly row: Buffer }> {
    for (const { key, value } of this.#allRows('late')) yield { fid: fidOfKey(key), row: value };
  }

  /** All objects as committed: those put since are left out, or in an older state. */
  *fids(): Iterable<Fid> {
    for (const { key } of this.#allRows('object')) yield fidOfKey(key);
  }

  *#allRows(table: 'late' | 'object'): Iterable<{ readonly key: Buffer; readonly value: Buffer }> {
    let start = fidKey(0);
    for (;;) {
      const rows = this.#tables.rows(table, start, undefined, ROWS_AT_ONCE);
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined) return;
      start = fidKey((fidOfKey(last.key) + 1) as Fid);
    }
  }

  // ---------------------------------------------------------------- commits

  /** All that was put, and what is said here, is on disk when it returns. */
  commit(
    change: Partial<StateMeta>,
    journal: readonly JournalEntry[] = [],
    { clearLate = false }: { clearLate?: boolean } = {},
  ): void {
    const meta = { ...this.#meta, ...change };
    this.#tables.commit(() => {
      this.#putMeta(meta, journal);
      if (clearLate) this.#tables.clear('late');
      else this.#putAll('late', this.#late, (row) => row);
      this.#putAll('object', this.#objects, encodeObject);
      for (const [parent, children] of this.#children) {
        for (const [name, fid] of children) {
          const key = childKey(parent, name);
          if (fid === NOBODY) this.#tables.remove('child', key);
          else this.#tables.put('child', key, fidValue(fid));
        }
      }
    });
    this.#meta = meta;
    this.rollback();
  }

  /** What is said here is on disk when it returns; what was put waits on. */
  commitMeta(change: Partial<StateMeta>, journal: readonly JournalEntry[] = []): void {
    const meta = { ...this.#meta, ...change };
    this.#tables.commit(() => this.#putMeta(meta, journal));
    this.#meta = meta;
  }

  /** Forgets what was put since the last commit. */
  rollback(): void {
    this.#objects.clear();
    this.#children.clear();
    this.#late.clear();
    this.#paths.clear();
  }

  async close(): Promise<void> {
    await this.#tables.close();
    closeSync(this.#lock);
  }

  #putMeta(meta: StateMeta, journal: readonly JournalEntry[]): void {
    this.#tables.put('meta', META_KEY, encodeMeta(meta));
    if (journal.length === 0) this.#tables.remove('meta', JOURNAL_KEY);
    else this.#tables.put('meta', JOURNAL_KEY, encodeJournal(journal));
  }

  #putAll<T>(
    table: 'object' | 'late',
    rows: ReadonlyMap<Fid, T | undefined>,
    encode: (value: T) => Buffer,
  ): void {
    for (const [fid, value] of rows) {
      if (value === undefined) this.#tables.remove(table, fidKey(fid));
      else this.#tables.put(table, fidKey(fid), encode(value));
    }
  }
}
