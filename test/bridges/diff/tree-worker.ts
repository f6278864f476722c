/** Changes a tree until its standard input ends: `tree-worker.js ROOT SEED`. Prints a line after the first steps. */
import { Random } from '../../support/random.js';
import { treeStep } from './tree-step.js';

const STEPS_PER_TURN = 10;

const [root = '', seed] = process.argv.slice(2);
const random = new Random(Number(seed));
let count = 1_000_000;
let isOver = false;

process.stdin.on('end', () => {
  isOver = true;
});
process.stdin.resume();

function turn(): void {
  for (let i = 0; i < STEPS_PER_TURN; i++) treeStep(root, random, ++count);
  if (count === 1_000_000 + STEPS_PER_TURN) console.log('busy');
  if (!isOver) setImmediate(turn);
}

turn();
