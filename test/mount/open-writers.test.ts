/** What was written to files that stay open, and never synced, is seen by who asks for all until now. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { StreamReplay, treeOf } from '../bridges/send/stream-replay.js';
import { modelOfBaseline } from '../support/baseline-model.js';
import { feedfs, type TestMount, withMount } from '../support/mount.js';

const READ_BYTES = 128 * 1024;

/** A file that is known already, and open for writing; `write` adds to it. */
function withWriter(
  use: (mount: TestMount, write: (text: string) => void) => Promise<void>,
): Promise<void> {
  return withMount(async (mount) => {
    mount.feed('f');
    const path = join(mount.mnt, 'file');
    fs.writeFileSync(path, 'start');
    const ack = await feedfs(['feed', 'ack', 'f', '--all', '-m', mount.mnt]);
    assert.is(ack.code, 0, ack.stderr);
    const fd = fs.openSync(path, 'a');
    try {
      await use(mount, (text) => void fs.writeSync(fd, text));
    } finally {
      fs.closeSync(fd);
    }
  });
}

test('diff', () =>
  withWriter(async ({ mnt }, write) => {
    write(' more');
    const { code, stdout, stderr } = await feedfs(['diff', 'f', '-m', mnt]);
    assert.is(code, 0, stderr);
    assert.is(`${stdout}`, 'M file\n');
  }));

test('send --once, with a baseline and without', () =>
  withWriter(async (mount, write) => {
    const replay = new StreamReplay();
    for (const args of [[], ['--from', 'last', '--ack'], ['--from', 'last', '--ack']]) {
      write(` and ${args.length}`);
      const command = ['send', 'f', '--once', '-m', mount.mnt, ...args];
      const { code, stdout, stderr } = await feedfs(command);
      assert.is(code, 0, stderr);
      replay.apply(stdout);
      assert.equal(replay.tree(), treeOf(mount.mnt));
    }
  }));

test('whoever opens the baseline', () =>
  withWriter(async ({ mnt }, write) => {
    const { ino } = fs.statSync(join(mnt, 'file'));
    // Small contents are inside: they are of the same moment as the size.
    write(' in it');
    const fd = fs.openSync(join(mnt, '.lustre/feeds/f/baseline'), 'r');
    const chunks: Buffer[] = [];
    for (;;) {
      const chunk = Buffer.alloc(READ_BYTES);
      const count = fs.readSync(fd, chunk, 0, READ_BYTES, null);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
    }
    fs.closeSync(fd);
    const model = modelOfBaseline(chunks);
    const node = [...model.nodes].find(([fid]) => fid === ino)?.[1];
    assert.is(node?.attrs.size, 'start in it'.length);
  }));

test.run();
