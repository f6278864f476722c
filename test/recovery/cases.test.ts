/** That each of the 43 cases of a recovery is tested, or that there is a reason why it is not. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot } from '../support/project-root.js';

const CASES = 43;

/** Those that cannot happen here, with the reason. */
const NOT_APPLICABLE: ReadonlyMap<number, string> = new Map([]);

/** Parts of cases that are tested, which cannot happen here. */
export const PARTS_NOT_APPLICABLE: readonly string[] = [
  '4: no open fails for want of memory; O_DIRECTORY is the kernel’s affair, which knows the type',
  '25: the kernel follows symbolic links and never opens one; nothing refuses it but the kernel',
  '33: there is no replay time-out of one request; what is bounded is the window',
  '42, 43: no version is kept of an object: a change that depends on a lost one fails by what it finds, and plain opens and closes depend on nothing',
];

test('each case is tested', () => {
  const folder = join(projectRoot(), 'test', 'recovery');
  const texts = readdirSync(folder)
    .filter((name) => name.startsWith('cases-'))
    .map((name) => readFileSync(join(folder, name), 'utf8'));
  const tested = texts.flatMap((text) =>
    [...text.matchAll(/\b(?:everyPlace|once)\(\s*(\d+),/g)].map(([, number]) => Number(number)),
  );
  const known = new Set([...tested, ...NOT_APPLICABLE.keys()]);
  const all = Array.from({ length: CASES }, (_, i) => i + 1);
  assert.equal(
    all.filter((number) => !known.has(number)),
    [],
    'neither tested nor excused',
  );
  assert.equal(
    [...known].filter((number) => number < 1 || number > CASES),
    [],
  );
});

test.run();
