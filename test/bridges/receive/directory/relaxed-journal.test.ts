/** Where objects may be that a killed receiver left writable: the journal, and the example of FORMAT.md. */
import * as fs from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RelaxedJournal } from '../../../../src/bridges/receive/directory/relaxed-journal.js';
import { withFolder } from '../../../support/mount.js';
import { projectRoot } from '../../../support/project-root.js';

const ENTRY = { inode: 4711, mode: 0o555, relaxed: 0o755 };

test('the example is read', () =>
  withFolder(async (folder) => {
    const format = `${projectRoot()}/src/bridges/receive/directory/FORMAT.md`;
    const [, example] = /```\n(\{"path"[^`]*)```/.exec(fs.readFileSync(format, 'utf8')) ?? [];
    fs.writeFileSync(`${folder}/made-writable`, String(example));
    assert.equal(
      new RelaxedJournal(folder).read().map((each) => ({ ...each })),
      [
        {
          inode: 4711,
          mode: 0o555,
          relaxed: [0o755],
          paths: ['/[0x200000401:0x2:0x0]', 'a/d'],
          mayBeGone: false,
        },
      ],
    );
  }));

test('an object is followed where it, or what it is in, was moved', () =>
  withFolder(async (folder) => {
    const journal = new RelaxedJournal(folder);
    journal.append({ from: 'a', to: 'too-early' });
    journal.append({ ...ENTRY, path: 'a/d/e' });
    journal.append({ ...ENTRY, path: 'a/d/e', relaxed: 0o777 });
    journal.append({ ...ENTRY, path: 'a', inode: 12 });
    journal.append({ from: 'a/d', to: '/x' });
    journal.append({ from: 'a/d/ef', to: 'no' });
    journal.append({ from: '/x/e', to: 'b' });
    journal.append({ gone: 'b' });
    fs.appendFileSync(`${folder}/made-writable`, '{"path":"cut o');
    const [first, second, ...others] = new RelaxedJournal(folder).read();
    assert.equal([first?.inode, first?.paths, others], [12, ['a'], []]);
    assert.equal(second?.paths, ['b', '/x/e', 'a/d/e']);
    assert.equal([second?.relaxed, second?.mayBeGone], [[0o755, 0o777], true]);
  }));

test('it is there only while something is to be put right', () =>
  withFolder(async (folder) => {
    const journal = new RelaxedJournal(folder);
    journal.keep([]);
    journal.append({ ...ENTRY, path: 'd' });
    journal.append({ ...ENTRY, path: 'e', inode: 12 });
    journal.keep([{ ...ENTRY, path: 'd' }]);
    // What is left to the next run stays, whatever comes and goes meanwhile.
    journal.keep([]);
    journal.append({ ...ENTRY, path: 'f', inode: 13 });
    journal.keep([]);
    const next = new RelaxedJournal(folder);
    assert.equal(
      next.read().map(({ inode }) => inode),
      [4711],
    );
    next.keep([]);
    assert.equal(fs.readdirSync(folder), []);
  }));

test.run();
