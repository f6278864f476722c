/** Where things are, seen from the compiled file in dist/test/bench. */
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));

export const projectDir = path.resolve(here, '../../..');
export const resultsDir = path.join(projectDir, 'bench-results');
/** The plots that README.md shows. */
export const plotsDir = path.join(projectDir, 'docs/plots');
export const peersDir = path.join(projectDir, 'test/bench/peers');
export const feedfsMain = path.resolve(here, '../../src/cli/main.js');
/** A compiled program of this folder. */
export function benchProgram(name: string): string {
  return path.join(here, `${name}.js`);
}
