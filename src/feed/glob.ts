/**
 * Name patterns: `*`, `?` and `[...]` as in the shell, on one name and case-sensitive.
 * Names are bytes. Name and pattern are compared character by character, where a character
 * is one of UTF-8, or a byte that is part of none: `?` and `[...]` stand for one, `*` for
 * any number, and nothing ever matches a part of one. So `?.txt` finds `é.txt`. A leading
 * dot is nothing special.
 *
 * Matching takes at most characters of the name times tokens of the pattern: only the last
 * `*` is ever tried again, for what it takes cannot help an earlier one.
 */
import { NAME_BYTES_MAX } from '../base/name.js';

type ByteRange = readonly [first: number, last: number];

type Token =
  | { readonly kind: 'any-number' }
  | { readonly kind: 'any-one' }
  /** One character, as its bytes. */
  | { readonly kind: 'character'; readonly bytes: string }
  | { readonly kind: 'one-of'; readonly negated: boolean; readonly ranges: readonly ByteRange[] };

export interface Glob {
  /** The pattern as it was written: a binary string. */
  readonly text: string;
  readonly tokens: readonly Token[];
}

const ASCII_MAX = 0x7f;
/** Of UTF-8: the first byte of a character of two, three, four bytes; a further byte. */
const LEAD_2 = 0xc2;
const LEAD_3 = 0xe0;
const LEAD_4 = 0xf0;
const LEAD_END = 0xf5;
const FURTHER_MASK = 0xc0;
const FURTHER = 0x80;

/** The pattern of a binary string, or, as text, why it is none or can match no name. */
export function parseGlob(text: string): Glob | string {
  if (text === '') return 'is empty, which no name is';
  const tokens: Token[] = [];
  let shortest = 0;
  for (let at = 0; at < text.length; ) {
    const next = parseToken(text, at);
    if (typeof next === 'string') return next;
    at = next.end;
    const { token } = next;
    if (token.kind !== 'any-number')
      shortest += token.kind === 'character' ? token.bytes.length : 1;
    // Two in a row are one.
    else if (tokens.at(-1)?.kind === 'any-number') continue;
    if (token.kind === 'character' && (token.bytes === '/' || token.bytes === '\0')) {
      return 'has a slash or a NUL, which no name has; directories are chosen with "subtree"';
    }
    tokens.push(token);
  }
  if (shortest > NAME_BYTES_MAX) return `is longer than any name (${NAME_BYTES_MAX} bytes)`;
  return { text, tokens };
}

interface Parsed<T> {
  readonly token: T;
  /** Where the pattern goes on. */
  readonly end: number;
}

function parseToken(text: string, at: number): Parsed<Token> | string {
  switch (text[at]) {
    case '*':
      return { token: { kind: 'any-number' }, end: at + 1 };
    case '?':
      return { token: { kind: 'any-one' }, end: at + 1 };
    case '[':
      return parseClass(text, at + 1);
    default: {
      const start = afterBackslash(text, at);
      if (start === text.length)
        return 'ends with a backslash, which must have something behind it';
      const end = start + characterBytes(text, start);
      return { token: { kind: 'character', bytes: text.slice(start, end) }, end };
    }
  }
}

/** Where the character that stands for itself is; the end of the text if there is none. */
function afterBackslash(text: string, at: number): number {
  return text[at] === '\\' ? at + 1 : at;
}

/** One byte, itself or behind a backslash; undefined at the end. */
function parseByte(text: string, at: number): Parsed<number> | undefined {
  const start = afterBackslash(text, at);
  return start < text.length ? { token: text.charCodeAt(start), end: start + 1 } : undefined;
}

/** From behind the `[`. A `]` that comes first is a member. */
function parseClass(text: string, start: number): Parsed<Token> | string {
  const negated = text[start] === '!' || text[start] === '^';
  const first = negated ? start + 1 : start;
  const ranges: ByteRange[] = [];
  for (let at = first; at < text.length; ) {
    if (text[at] === ']' && at > first) {
      return { token: { kind: 'one-of', negated, ranges }, end: at + 1 };
    }
    if (text[at] === '[' && /[:.=]/.test(text[at + 1] ?? '')) {
      return 'has a class like [:alpha:], which is not known here; write a range like [a-z]';
    }
    const from = parseByte(text, at);
    if (from === undefined) break;
    at = from.end;
    let to = from.token;
    if (text[at] === '-' && at + 1 < text.length && text[at + 1] !== ']') {
      const last = parseByte(text, at + 1);
      if (last === undefined) break;
      to = last.token;
      at = last.end;
    }
    if (from.token > ASCII_MAX || to > ASCII_MAX) {
      return 'has a character beyond ASCII in [...]; give each its own pattern instead';
    }
    if (to < from.token) return 'has a range in [...] whose end comes before its start';
    ranges.push([from.token, to]);
  }
  return 'has a [ without its ]; write \\[ for the character';
}

/** Whether the whole name matches. */
export function matchesGlob({ tokens }: Glob, name: string): boolean {
  let at = 0;
  let token = 0;
  /** Behind the last `*`, and what it has taken so far. */
  let retryToken = -1;
  let retryAt = 0;
  while (at < name.length) {
    const wanted = tokens[token];
    if (wanted?.kind === 'any-number') {
      token++;
      retryToken = token;
      retryAt = at;
      continue;
    }
    const taken = wanted === undefined ? 0 : takenBy(wanted, name, at);
    if (taken > 0) {
      token++;
      at += taken;
      continue;
    }
    if (retryToken < 0) return false;
    token = retryToken;
    retryAt += characterBytes(name, retryAt);
    at = retryAt;
  }
  while (tokens[token]?.kind === 'any-number') token++;
  return token === tokens.length;
}

/** How many bytes of the name a token takes at `at`; 0: it does not match. */
function takenBy(token: Exclude<Token, { kind: 'any-number' }>, name: string, at: number): number {
  const length = characterBytes(name, at);
  if (token.kind === 'character') {
    return token.bytes.length === length && name.startsWith(token.bytes, at) ? length : 0;
  }
  if (token.kind === 'any-one') return length;
  const byte = name.charCodeAt(at);
  const isMember = token.ranges.some(([first, last]) => byte >= first && byte <= last);
  return isMember !== token.negated ? length : 0;
}

/** Bytes of the UTF-8 character at `at`; 1 where there is none. */
function characterBytes(name: string, at: number): number {
  const lead = name.charCodeAt(at);
  if (lead < LEAD_2 || lead >= LEAD_END) return 1;
  const length = lead < LEAD_3 ? 2 : lead < LEAD_4 ? 3 : 4;
  for (let i = 1; i < length; i++) {
    if ((name.charCodeAt(at + i) & FURTHER_MASK) !== FURTHER) return 1;
  }
  return length;
}

/** Whether every name matches. */
export function matchesAll({ tokens }: Glob): boolean {
  return tokens.length === 1 && tokens[0]?.kind === 'any-number';
}
