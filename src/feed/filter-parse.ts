/**
 * A filter from its text. It is data: nothing of it is evaluated, and what cannot be
 * understood, or could let nothing pass, is refused whole.
 */

import { parseBytes } from '../base/byte-string.js';
import { Errno, FsError } from '../base/errno.js';
import { type Fid, isControlFid, parseFid } from '../base/fid.js';
import {
  ACCESS_OPS,
  asksFor,
  CHANGE_OPS,
  type Conditions,
  EVERY_CHANGE,
  type Filter,
  type FilterOp,
  OP_GROUPS,
} from './filter-value.js';
import { type Glob, matchesAll, parseGlob } from './glob.js';
import { type JsonObject, parseJsonObject, quoted } from './json-object.js';
import {
  FILTER_IDS_MAX,
  FILTER_PATTERN_BYTES_MAX,
  FILTER_PATTERNS_MAX,
  FILTER_TEXT_BYTES_MAX,
} from './limits.js';

/** 2^32 - 1 stands for "no user" in system calls. */
const ID_MAX = 2 ** 32 - 2;

const CONDITIONS = ['ops', 'uid', 'gid', 'name'];
const MEMBERS = [...CONDITIONS, 'subtree', 'not'];
const KNOWN_OPS: readonly FilterOp[] = [...CHANGE_OPS, ...ACCESS_OPS];

/** `where` is the member, `not.uid[3]`; empty for the whole. */
function refused(where: string, reason: string): FsError {
  return new FsError(Errno.EINVAL, `filter: ${where}${where === '' ? '' : ' '}${reason}`);
}

/** Empty text is {@link EVERY_CHANGE}. FsError(EINVAL) that says where and why. */
export function parseFilter(text: string): Filter {
  if (Buffer.byteLength(text) > FILTER_TEXT_BYTES_MAX) {
    throw refused('', `is longer than ${FILTER_TEXT_BYTES_MAX} bytes`);
  }
  if (text.trim() === '') return EVERY_CHANGE;
  const json = parseJsonObject(text);
  if (typeof json === 'string') throw refused('', json);
  checkMembers(json, '', MEMBERS);
  const not = json.not === undefined ? undefined : parseNot(json.not);
  const filter: Filter = {
    ...parseConditions(json, ''),
    ...(json.subtree === undefined ? {} : { subtree: parseSubtree(json.subtree) }),
    ...(not === undefined || Object.keys(not).length === 0 ? {} : { not }),
  };
  checkTogether(filter);
  return withoutDefault(filter);
}

function checkMembers(json: JsonObject, where: string, known: readonly string[]): void {
  for (const member of Object.keys(json)) {
    if (!known.includes(member)) {
      throw refused(where, `has an unknown member ${quoted(member)}; known: ${known.join(', ')}`);
    }
  }
}

function parseNot(value: unknown): Conditions {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refused('not', `is ${quoted(value)}, not an object like {"name":"*.tmp"}`);
  }
  checkMembers(value as JsonObject, 'not', CONDITIONS);
  return parseConditions(value as JsonObject, 'not.');
}

function parseConditions(json: JsonObject, prefix: string): Conditions {
  const { ops, uid, gid, name } = json;
  return {
    ...(ops === undefined ? {} : { ops: parseOps(ops, `${prefix}ops`) }),
    ...(uid === undefined ? {} : { uid: parseIds(uid, `${prefix}uid`) }),
    ...(gid === undefined ? {} : { gid: parseIds(gid, `${prefix}gid`) }),
    ...(name === undefined ? {} : { name: parseNames(name, `${prefix}name`) }),
  };
}

interface Item {
  readonly value: unknown;
  readonly where: string;
}

/** A value, or a list of at least one and at most `max`. */
function items(value: unknown, where: string, max: number): readonly Item[] {
  if (!Array.isArray(value)) return [{ value, where }];
  if (value.length === 0) throw refused(where, 'is an empty list; leave it out to mean all');
  if (value.length > max) throw refused(where, `has ${value.length} entries, more than ${max}`);
  return value.map((item: unknown, i) => ({ value: item, where: `${where}[${i}]` }));
}

function parseOps(value: unknown, where: string): ReadonlySet<FilterOp> {
  const named = new Set<FilterOp>();
  for (const item of items(value, where, KNOWN_OPS.length + Object.keys(OP_GROUPS).length)) {
    for (const op of parseOp(item)) named.add(op);
  }
  return new Set(KNOWN_OPS.filter((op) => named.has(op)));
}

function parseOp({ value, where }: Item): readonly FilterOp[] {
  if (value === 'lost') throw refused(where, 'is "lost", which always passes and is not chosen');
  const group = typeof value === 'string' && Object.hasOwn(OP_GROUPS, value);
  if (group) return OP_GROUPS[value] ?? [];
  const op = KNOWN_OPS.find((known) => known === value);
  if (op === undefined) {
    const known = [...Object.keys(OP_GROUPS), ...KNOWN_OPS].join(', ');
    throw refused(where, `is ${quoted(value)}, which is no operation; known: ${known}`);
  }
  return [op];
}

function parseIds(value: unknown, where: string): ReadonlySet<number> {
  const ids = items(value, where, FILTER_IDS_MAX).map((item) => {
    const id = item.value;
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > ID_MAX) {
      throw refused(item.where, `is ${quoted(id)}, not a number from 0 to ${ID_MAX}`);
    }
    return id;
  });
  // -0 is 0.
  return new Set(ids.map((id) => id + 0).sort((a, b) => a - b));
}

function parseNames(value: unknown, where: string): readonly Glob[] {
  const globs = new Map<string, Glob>();
  for (const item of items(value, where, FILTER_PATTERNS_MAX)) {
    const bytes = parseBytes(item.value);
    if (bytes === undefined) {
      throw refused(item.where, `is ${quoted(item.value)}, not a pattern like "*.jpg"`);
    }
    const glob = parseGlob(bytes);
    if (typeof glob === 'string') throw refused(item.where, glob);
    globs.set(glob.text, glob);
  }
  const list = [...globs.values()];
  const bytes = list.reduce((sum, { text }) => sum + text.length, 0);
  if (bytes > FILTER_PATTERN_BYTES_MAX) {
    throw refused(where, `has ${bytes} bytes of patterns, more than ${FILTER_PATTERN_BYTES_MAX}`);
  }
  return list;
}

function parseSubtree(value: unknown): Fid {
  const fid = typeof value === 'string' ? parseFid(value) : undefined;
  if (fid === undefined) {
    throw refused('subtree', `is ${quoted(value)}, not a FID like "[0x200000401:0x2:0x0]"`);
  }
  if (isControlFid(fid))
    throw refused('subtree', 'is in the control directory, which never changes');
  return fid;
}

/** Refuses what no record could ever meet: it is a mistake, and would only show as silence. */
function checkTogether(filter: Filter): void {
  const { not } = filter;
  if (!KNOWN_OPS.some((op) => asksFor(filter, op)))
    throw refused('not.ops', 'leaves no operation over');
  for (const member of ['uid', 'gid'] as const) {
    const without = not?.[member];
    const asked = filter[member];
    if (without !== undefined && asked !== undefined && [...asked].every((id) => without.has(id))) {
      throw refused(`not.${member}`, `leaves nobody of ${member} over`);
    }
  }
  const without = not?.name;
  if (without === undefined) return;
  const texts = new Set(without.map(({ text }) => text));
  if (without.some(matchesAll) || filter.name?.every(({ text }) => texts.has(text)) === true) {
    throw refused('not.name', 'leaves no name over');
  }
}

/** What says no more than its absence is left out, so that equal filters have equal texts. */
function withoutDefault(filter: Filter): Filter {
  const { ops, name, ...rest } = filter;
  const all =
    ops !== undefined && ops.size === CHANGE_OPS.length && CHANGE_OPS.every((op) => ops.has(op));
  return {
    ...(ops === undefined || all ? {} : { ops }),
    ...(name === undefined ? {} : { name }),
    ...rest,
  };
}
