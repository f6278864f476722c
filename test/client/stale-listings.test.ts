/** Which listings the kernel must not keep because of a move. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fid } from '../../src/base/fid.js';
import { STALE_LISTINGS_MAX } from '../../src/client/limits.js';
import { StaleListings } from '../../src/client/stale-listings.js';

const fid = (n: number) => n as Fid;

test('a moved directory loses its listing once', () => {
  const listings = new StaleListings();
  listings.moved(fid(7));
  assert.ok(listings.opened(fid(8)));
  assert.not.ok(listings.opened(fid(7)));
  assert.ok(listings.opened(fid(7)));
});

test('more than can be remembered: no listing is kept any more', () => {
  const listings = new StaleListings();
  for (let i = 0; i < STALE_LISTINGS_MAX; i++) listings.moved(fid(i));
  assert.ok(listings.opened(fid(STALE_LISTINGS_MAX)));
  for (const late of [STALE_LISTINGS_MAX, 0]) listings.moved(fid(late));
  for (const any of [STALE_LISTINGS_MAX + 1, 5, 5]) assert.not.ok(listings.opened(fid(any)));
});

test.run();
