/**
 * The program that performs a corpus: DIRECTORY KIND SEED COUNT. One line per
 * operation on standard output. A process of its own, because it changes its user
 * and umask, and because it may end up in a filesystem that does not answer.
 */
import { Random } from '../support/random.js';
import { generate, type Kind } from './generate.js';
import { describe } from './operation.js';
import { Performer } from './perform.js';

const [directory = '', kind = '', seed = '', count = ''] = process.argv.slice(2);
const performer = new Performer(directory);
const lines = generate(new Random(Number(seed)), kind as Kind, Number(count)).map(
  (operation, i) => `${i} ${describe(operation)} -> ${performer.perform(operation)}`,
);
performer.close();
process.stdout.write(`${lines.join('\n')}\n`);
