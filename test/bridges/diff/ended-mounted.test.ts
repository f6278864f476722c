/** A feed that ends while diff reads it. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diffFeed } from '../../../src/bridges/diff/diff.js';
import { DiffError } from '../../../src/bridges/diff/diff-error.js';
import type { AskPlaces } from '../../../src/bridges/diff/end-names.js';
import { FeedError } from '../../../src/consumer/errors.js';
import { createFeed } from '../../../src/consumer/feeds.js';
import { placesOf } from '../../../src/consumer/places.js';
import { withMount } from '../../support/mount.js';

/** How a diff ends, of a feed to which something happens when names are asked for. */
function during(happens: (feed: string, mnt: string) => void): Promise<unknown> {
  return withMount(async ({ mnt }) => {
    const feed = await createFeed(mnt, 'f');
    try {
      fs.writeFileSync(join(mnt, 'file'), '');
      // Of something older, so that its name must be asked for.
      fs.chmodSync(mnt, 0o700);
      let asked = 0;
      const ask: AskPlaces = (fids) => {
        if (asked++ === 0) happens(feed.path, mnt);
        return placesOf(mnt, fids);
      };
      const diff = diffFeed(feed, { mount: mnt, ask });
      const end = await diff.catch((error: unknown) => error);
      assert.ok(asked > 0);
      return end;
    } finally {
      feed.close();
    }
  });
}

test('removed', async () => {
  const error = await during((feed) => fs.rmdirSync(feed));
  assert.ok(error instanceof DiffError, String(error));
  assert.is(error.reason, 'ended');
  assert.is(error.message, 'feed f was removed while it was read');
});

test('removed and made again', async () => {
  const error = await during((feed, mnt) => {
    fs.rmdirSync(feed);
    fs.mkdirSync(feed);
    fs.writeFileSync(join(mnt, 'later'), '');
  });
  assert.ok(error instanceof DiffError && error.reason === 'ended', String(error));
});

test('expired', async () => {
  const error = await during((feed, mnt) => {
    fs.writeFileSync(join(feed, 'policy'), '{"maxRecords":20,"then":"expire"}');
    for (let i = 0; i < 200; i++) fs.writeFileSync(join(mnt, `${i}`), '');
  });
  assert.ok(error instanceof FeedError && error.code === 'EXPIRED', String(error));
});

test.run();
