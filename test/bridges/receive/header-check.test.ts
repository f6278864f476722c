/** Messages about streams that do not fit: what the stream calls itself does not act on a terminal. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkHeader } from '../../../src/bridges/receive/header-check.js';
import { MemoryTarget } from './memory-target.js';
import { header } from './sample-stream.js';

test('the name of a feed is shown on one line and harmless', () => {
  const stream = header('records', 10);
  const foreign = { ...stream, feed: { id: stream.feed.id + 1, name: 'a\u001b[2J\nfeedfs: b' } };
  try {
    checkHeader(foreign, MemoryTarget.at(10).progress);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, Error);
    assert.ok((error as Error).message.includes('a\\x1b[2J\\x0afeedfs: b'));
  }
});

test.run();
