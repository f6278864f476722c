/** A watch on files that are none: what it makes of what it reads. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Watch } from '../../src/consumer/watch.js';
import { withFolder } from '../support/mount.js';

test('nothing more to come ends the iteration, behind the last whole line', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'watch');
    fs.writeFileSync(path, 'one\ntwo\nhalf');
    const watch = new Watch(path, fs.openSync(path, 'r'));
    const lines: string[] = [];
    for await (const batch of watch.lines()) {
      for (const { line } of batch) lines.push(line);
    }
    assert.equal(lines, ['one', 'two']);
    for await (const _ of watch.lines()) assert.unreachable();
    watch.close();
  }));

test.run();
