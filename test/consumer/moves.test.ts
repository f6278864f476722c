/** What a rename means to whoever keeps one subtree. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Move, moveOf } from '../../src/consumer/moves.js';

const INSIDE = new Set(['top', 'below']);

const CASES: readonly (readonly [parent: string, newParent: string, move: Move])[] = [
  ['elsewhere', 'top', 'in'],
  ['elsewhere', 'below', 'in'],
  ['top', 'elsewhere', 'out'],
  ['below', 'elsewhere', 'out'],
  ['top', 'top', 'within'],
  ['below', 'top', 'within'],
  // The subtree's own directory, which lies in none of its directories.
  ['elsewhere', 'elsewhere', 'outside'],
];

test('where a rename leads', () => {
  for (const [parent, newParent, move] of CASES) {
    assert.is(
      moveOf({ parent, newParent }, (directory) => INSIDE.has(directory)),
      move,
    );
  }
});

test.run();
