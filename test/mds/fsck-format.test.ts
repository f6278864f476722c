/** store/FORMAT.md says what fsck finds and what a repair does, in the words of the code. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { adviceOn, MENDABLE } from '../../src/mds/fsck/mendable.js';
import { projectRoot } from '../support/project-root.js';

const FORMAT = fs.readFileSync(join(projectRoot(), 'src/store/FORMAT.md'), 'utf8');

/** Cells of the table behind a heading, the first column without its backquotes. */
function rowsAfter(heading: string): Map<string, readonly string[]> {
  const text = must(FORMAT.split(`## ${heading}\n`)[1], heading).split('\n## ')[0] ?? '';
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  return new Map(
    rows.map((row) => {
      const [kind = '', ...cells] = row
        .split(' | ')
        .map((cell) => cell.replace(/^\||\|$/g, '').trim());
      return [kind.replaceAll('`', ''), cells];
    }),
  );
}

test('every kind of finding has its meaning', () => {
  const found = rowsAfter('What fsck finds');
  assert.equal([...found.keys()].sort(), Object.keys(MENDABLE).sort());
});

test('every kind of finding has what a repair does, as the code says it', () => {
  const mends = rowsAfter('What fsck --repair does');
  assert.equal([...mends.keys()].sort(), Object.keys(MENDABLE).sort());
  for (const [kind, rule] of Object.entries(MENDABLE)) {
    const [how, otherwise] = must(mends.get(kind), kind);
    assert.is(how, 'how' in rule ? rule.how : '', kind);
    assert.is(otherwise, 'how' in rule ? (rule.otherwise ?? '') : rule.cannot, kind);
  }
});

test('there is advice on whatever stays', () => {
  for (const kind of Object.keys(MENDABLE) as (keyof typeof MENDABLE)[]) {
    assert.ok(adviceOn(kind).length > 0, kind);
  }
});

test.run();
