/** Small files of the control tree, whole whatever happens meanwhile. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FeedError } from '../../src/consumer/errors.js';
import { openFeed } from '../../src/consumer/feeds.js';
import { TEXT_FILE_BYTES_MAX } from '../../src/consumer/limits.js';
import { readTextFile, readToEnd } from '../../src/consumer/text-file.js';
import { withFolder, withMount } from '../support/mount.js';

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    assert.instance(error, FeedError);
    return (error as FeedError).code;
  }
  throw new Error('it did not fail');
}

test('what comes in pieces is read to the end, wherever they are cut', async () => {
  const bytes = Buffer.from('ein Täschchen');
  let at = 0;
  const one = {
    read: async (into: Buffer) => {
      const bytesRead = bytes.copy(into, 0, at, at + 1);
      at += bytesRead;
      return { bytesRead };
    },
  };
  assert.is(await readToEnd(one, 'info'), 'ein Täschchen');
});

test('a file without end is not read for ever', async () => {
  let bytes = 0;
  const endless = {
    read: async (into: Buffer) => {
      bytes += into.length;
      return { bytesRead: into.length };
    },
  };
  assert.is(await codeOf(readToEnd(endless, 'info')), 'BAD_RECORD');
  assert.ok(bytes <= 2 * TEXT_FILE_BYTES_MAX);
});

test('a file that is not there', () =>
  withFolder(async (folder) => {
    assert.is(await codeOf(readTextFile(join(folder, 'info'))), 'ENOENT');
    // Of those in /proc fstat(2) says that they are empty.
    assert.is(await readTextFile('/proc/self/comm'), fs.readFileSync('/proc/self/comm', 'utf8'));
  }));

const READS = 500;

test('info is whole while records come and are acknowledged', () =>
  withMount(async (mount) => {
    const { mnt } = mount;
    mount.feed('backup');
    const [feed, other] = [await openFeed(mnt, 'backup'), await openFeed(mnt, 'backup')];
    let isDone = false;
    const changing = (async () => {
      for (let i = 0; !isDone; i++) {
        await fs.promises.mkdir(join(mnt, `d${i}`));
        await other.acknowledgeLog({ offset: 0, length: 2 ** 40 });
      }
    })();
    try {
      // Throws for text that is torn.
      for (let i = 0; i < READS; i++) await feed.info();
    } finally {
      isDone = true;
      await changing;
      feed.close();
      other.close();
    }
  }));

test.run();
