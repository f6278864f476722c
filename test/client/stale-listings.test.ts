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

test('more than can be remembered: each loses its listing once', () => {
  const listings = new StaleListings();
  for (let i = 0; i < STALE_LISTINGS_MAX; i++) listings.moved(fid(i));
  assert.ok(listings.opened(fid(STALE_LISTINGS_MAX)));
  for (const late of [STALE_LISTINGS_MAX, 0]) listings.moved(fid(late));
  for (const any of [STALE_LISTINGS_MAX + 1, 5]) {
    assert.not.ok(listings.opened(fid(any)));
    assert.ok(listings.opened(fid(any)));
  }
});

test('when all are stale, each loses its listing once, and again when it is moved', () => {
  const listings = new StaleListings();
  listings.moved(fid(7));
  listings.staleAll();
  assert.equal(
    [7, 7, 8, 8].map((n) => listings.opened(fid(n))),
    [false, true, false, true],
  );
  listings.moved(fid(7));
  assert.equal(
    [7, 7, 8].map((n) => listings.opened(fid(n))),
    [false, true, true],
  );
  listings.staleAll();
  assert.equal(
    [7, 7].map((n) => listings.opened(fid(n))),
    [false, true],
  );
});

test('after that, those beyond what can be remembered are never kept', () => {
  const listings = new StaleListings();
  listings.staleAll();
  for (let i = 0; i < STALE_LISTINGS_MAX; i++) listings.opened(fid(i));
  const late = fid(STALE_LISTINGS_MAX);
  assert.equal([listings.opened(late), listings.opened(late)], [false, false]);
  assert.ok(listings.opened(fid(0)));
});

test.run();
