/** Name patterns: a table, what is refused, and a naive matcher that tries everything. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nameFromText } from '../../src/base/name.js';
import { type Glob, matchesGlob, parseGlob } from '../../src/feed/glob.js';

function glob(pattern: string): Glob {
  const parsed = parseGlob(nameFromText(pattern));
  if (typeof parsed === 'string') throw new Error(`${pattern} ${parsed}`);
  return parsed;
}

const MATCHES: readonly (readonly [pattern: string, name: string, matches: boolean])[] = [
  ['a', 'a', true],
  ['a', 'A', false],
  ['a', 'ab', false],
  ['*', 'anything', true],
  ['*.jpg', 'x.jpg', true],
  ['*.jpg', '.jpg', true],
  ['*.jpg', 'x.jpg.bak', false],
  ['*.jpg', 'x.JPG', false],
  ['a*b*c', 'a--b--b--c', true],
  ['a*b*c', 'a--c--b', false],
  ['**', 'x', true],
  ['?', 'x', true],
  ['?', 'xy', false],
  ['?', 'é', true],
  ['??', 'é', false],
  ['*?', 'é', true],
  ['?.txt', '\u{1f600}.txt', true],
  ['é', 'é', true],
  ['é', 'e\u0301', false],
  ['[abc]', 'b', true],
  ['[abc]', 'd', false],
  ['[a-c]x', 'bx', true],
  ['[!a-c]', 'b', false],
  ['[!a-c]', 'd', true],
  ['[^a-c]', 'd', true],
  ['[!a]', 'é', true],
  ['[!a][!a]', 'é', false],
  ['*[!a][!a]*', '€a', false],
  ['*[!a][!a]*', 'a€éa', true],
  ['[a]', 'é', false],
  ['[]]', ']', true],
  ['[!]]', ']', false],
  ['[]a]', 'a', true],
  ['[a-]', '-', true],
  ['[-a]', '-', true],
  ['[\\]]', ']', true],
  ['[a\\-c]', 'b', false],
  ['[*?]', '*', true],
  ['[/]x', 'x', false],
  ['\\*', '*', true],
  ['\\*', 'x', false],
  ['\\[a]', '[a]', true],
  ['a]', 'a]', true],
  ['#*#', '#x#', true],
  ['*~', 'x~', true],
];

test('a table of patterns and names', () => {
  for (const [pattern, name, matches] of MATCHES) {
    assert.is(matchesGlob(glob(pattern), nameFromText(name)), matches, `${pattern} on ${name}`);
  }
});

test('names that are not UTF-8: a byte that is no character stands for itself', () => {
  assert.ok(matchesGlob(glob('?x'), '\xffx'));
  assert.ok(matchesGlob(glob('??'), '\xc3x'));
  assert.ok(matchesGlob(glob('[!a]'), '\xff'));
  const exact = parseGlob('\xff*');
  assert.ok(typeof exact !== 'string' && matchesGlob(exact, '\xffabc'));
  assert.ok(typeof exact !== 'string' && !matchesGlob(exact, nameFromText('ÿabc')));
});

test('no part of a character is matched, by a byte as little as by a star', () => {
  const [lead, ...further] = nameFromText('€');
  for (const pattern of [`${lead}*`, `*${further[1]}`, `*${further[0]}*`, `${lead}??`]) {
    const parsed = parseGlob(pattern);
    assert.ok(typeof parsed !== 'string' && !matchesGlob(parsed, nameFromText('€')));
  }
  assert.ok(matchesGlob(glob('\\€'), nameFromText('€')), 'a backslash takes a whole one');
});

const REFUSED: readonly (readonly [pattern: string, reason: RegExp])[] = [
  ['', /is empty/],
  ['a/b', /slash/],
  ['a\0', /NUL/],
  ['a\\', /ends with a backslash/],
  ['[abc', /\[ without its \]/],
  ['[]', /\[ without its \]/],
  ['[a\\', /\[ without its \]/],
  ['[a-\\', /\[ without its \]/],
  ['[c-a]', /end comes before its start/],
  ['[é]', /beyond ASCII/],
  ['[[:alpha:]]', /\[:alpha:\]/],
  ['x'.repeat(256), /longer than any name/],
];

test('what is no pattern, or matches no name, is refused with the reason', () => {
  for (const [pattern, reason] of REFUSED) {
    const parsed = parseGlob(nameFromText(pattern));
    assert.type(parsed, 'string', pattern);
    assert.match(parsed as string, reason);
  }
  assert.type(parseGlob(`*${'x'.repeat(255)}*`), 'object');
});

/** Tries every length that a `*` can have, on characters. */
function naive(pattern: readonly string[], name: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return name.length === 0;
  if (first === '*') return naive(rest, name) || (name.length > 0 && naive(pattern, name.slice(1)));
  const [char, ...others] = name;
  if (char === undefined) return false;
  const negated = first.startsWith('[!');
  const fits =
    first === '?' ||
    first === char ||
    (first.startsWith('[') && first.slice(negated ? 2 : 1, -1).includes(char) !== negated);
  return fits && naive(rest, others);
}

const PIECES = ['*', '?', 'a', 'b', 'é', '[ab]', '[!a]', '€'];
const CHARACTERS = ['a', 'b', 'c', 'é', '€', '\u{1f600}'];

test('any pattern on any name is judged as by trying everything', () => {
  const pieces = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 8 });
  const characters = fc.array(fc.constantFrom(...CHARACTERS), { maxLength: 8 });
  fc.assert(
    fc.property(pieces, characters, (pattern, name) => {
      const actual = matchesGlob(glob(pattern.join('')), nameFromText(name.join('')));
      assert.is(actual, naive(pattern, name), `${pattern.join('')} on ${name.join('')}`);
    }),
    {
      numRuns: 3000,
      examples: [
        [
          ['*', '[!a]', '[!a]', '*'],
          ['€', 'a'],
        ],
      ],
    },
  );
});

test('a pattern made to be slow takes no more steps than name times pattern', () => {
  const pattern = glob(`${'*a'.repeat(120)}b`);
  const name = 'a'.repeat(255);
  const started = process.hrtime.bigint();
  for (let i = 0; i < 20; i++) assert.not(matchesGlob(pattern, name));
  // Exponential work would not end in the lifetime of the machine.
  assert.ok(process.hrtime.bigint() - started < 10_000_000_000n);
});

test.run();
