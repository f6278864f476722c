/**
 * What the objects say of their names against the entries that lead to them: the inode
 * knows one, its primary name, and table `link` exactly the others.
 */
import { type Fid, ROOT_FID } from '../../base/fid.js';
import { isDirectory } from '../../base/mode.js';
import type { Inspection } from '../../store/inspection.js';
import { fidOfKey, LINK_KEY_BYTES, linkKey, placeOfLinkKey } from '../../store/keys.js';
import { isExactKey } from './exact-key.js';
import { type Findings, showFid } from './findings.js';
import { InodeFlag, type InodeIndex } from './inode-index.js';
import { compareNames, type FurtherName, type NamesFound } from './names-found.js';

/** An entry leads to the object `to`: notes whether that is its primary name. */
export function noteName(index: InodeIndex, to: number, found: FurtherName, names: NamesFound) {
  const { columns } = index;
  if (index.has(to, InodeFlag.DAMAGED)) return;
  if (columns.parent[to] === found.directory && columns.slot[to] === found.slot) {
    index.mark(to, InodeFlag.PRIMARY_FOUND);
    return;
  }
  // A directory elsewhere than it says is a wrong parent.
  const elsewhere = isDirectory(columns.mode[to] ?? 0) && columns.parent[to] !== found.directory;
  if (!elsewhere) names.add(found);
}

/** After all entries were read. Of inodes of format 1 there is nothing to check. */
export function checkLinks(
  store: Inspection,
  index: InodeIndex,
  names: NamesFound,
  findings: Findings,
): void {
  if (index.format === 1) return;
  const further = names.inOrder();
  let name = further.next();
  /** The object whose names are being read: without its primary one, one of these takes its place. */
  const missing = new MissingNames(index, findings);
  const passUpTo = (row: FurtherName | undefined): boolean => {
    while (!name.done && (row === undefined || compareNames(name.value, row) < 0)) {
      missing.add(name.value);
      name = further.next();
    }
    const known = !name.done && row !== undefined && compareNames(name.value, row) === 0;
    if (!known) return false;
    missing.has(name.value as FurtherName);
    name = further.next();
    return true;
  };
  for (const { key, value } of store.entries('link')) {
    findings.saw('further names');
    if (!isExactKey(key, LINK_KEY_BYTES, 0, 8, 16)) {
      const mend = { do: 'remove', table: 'link', key } as const;
      findings.add('damaged-key', `name ${key.toString('hex')}`, 'not an object and a place', mend);
      continue;
    }
    const row = { fid: fidOfKey(key), ...placeOfLinkKey(key) };
    if (value === undefined) {
      // It says nothing but its key.
      const mend = { do: 'put', table: 'link', key, value: Buffer.alloc(0) } as const;
      findings.add('damaged-value', whereOf(row), 'its checksum is wrong', mend);
    }
    if (!passUpTo(row)) checkStray(index, row, key, findings);
  }
  passUpTo(undefined);
  missing.end();
  checkNowhere(index, findings);
}

/** A row that no further name has, unless the entry is there and cannot be read. */
function checkStray(index: InodeIndex, row: FurtherName, key: Buffer, findings: Findings): void {
  const directory = index.find(row.directory);
  if (directory !== undefined && index.has(directory, InodeFlag.ENTRY_DAMAGED)) return;
  const message = 'the object has no further name there';
  findings.add('stray-link', whereOf(row), message, { do: 'remove', table: 'link', key });
}

/** Collects the names of one object after the other that have no row, and says so at its end. */
class MissingNames {
  readonly #index: InodeIndex;
  readonly #findings: Findings;
  #fid = 0;
  /** A name that can be the primary one, if that was not found: best one without a row. */
  #primary: FurtherName | undefined;
  #primaryHasRow = false;

  constructor(index: InodeIndex, findings: Findings) {
    this.#index = index;
    this.#findings = findings;
  }

  /** The next name; it has no row. */
  add(name: FurtherName): void {
    this.#enter(name);
    if (this.#lacksPrimary && (this.#primary === undefined || this.#primaryHasRow)) {
      this.#primary = name;
      this.#primaryHasRow = false;
      return;
    }
    const key = Buffer.from(linkKey(name.fid, name.directory, name.slot));
    const mend = { do: 'put', table: 'link', key, value: Buffer.alloc(0) } as const;
    this.#findings.add('missing-link', whereOf(name), 'the object does not know this name', mend);
  }

  /** The next name; it has a row. */
  has(name: FurtherName): void {
    this.#enter(name);
    if (!this.#lacksPrimary || this.#primary !== undefined) return;
    this.#primary = name;
    this.#primaryHasRow = true;
  }

  end(): void {
    const name = this.#primary;
    this.#primary = undefined;
    if (name === undefined) return;
    const fid = name.fid as Fid;
    const set = { parent: name.directory as Fid, slot: name.slot };
    const message = `its inode says another place than ${placeOf(name)}, or none`;
    this.#findings.add('wrong-name', showFid(fid), message, { do: 'inode', fid, set });
  }

  #enter({ fid }: FurtherName): void {
    if (fid === this.#fid) return;
    this.end();
    this.#fid = fid;
  }

  get #lacksPrimary(): boolean {
    const at = this.#index.find(this.#fid);
    if (at === undefined || this.#index.has(at, InodeFlag.PRIMARY_FOUND)) return false;
    // It may be the one that cannot be read.
    const parent = this.#index.find(this.#index.columns.parent[at] ?? 0);
    return parent === undefined || !this.#index.has(parent, InodeFlag.ENTRY_DAMAGED);
  }
}

/** Objects without any name that say where one is. */
function checkNowhere(index: InodeIndex, findings: Findings): void {
  const { columns } = index;
  for (let at = 0; at < index.count; at++) {
    if (index.has(at, InodeFlag.DAMAGED) || columns.slot[at] === 0) continue;
    const fid = (columns.fid[at] ?? 0) as Fid;
    const nameless = columns.nlink[at] === 0 && columns.names[at] === 0;
    if (!nameless && fid !== ROOT_FID) continue;
    const removed = isDirectory(columns.mode[at] ?? 0);
    const set = removed ? { slot: 0 } : { parent: 0 as const, slot: 0 };
    const message = 'has no name, but its inode says where one is';
    findings.add('wrong-name', showFid(fid), message, { do: 'inode', fid, set });
  }
}

function whereOf(name: FurtherName): string {
  return `name of ${showFid(name.fid)} at ${placeOf(name)}`;
}

function placeOf({ directory, slot }: FurtherName): string {
  return `slot ${slot} of ${showFid(directory)}`;
}
