/** As many names and subdirectories as there may be, and one more. */
import * as assert from 'uvu/assert';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { DIRECTORY_LINK_MAX, LINK_MAX } from '../../src/mds/limits.js';
import type { Reint } from '../../src/rpc/messages.js';
import {
  attributes,
  DIRECTORY,
  done,
  make,
  nlink,
  reint,
  reintSuite,
  renameOf,
} from './reint-fixture.js';

const EXCHANGE = 2;
/** Changes that the store may have uncommitted at once. */
const BATCH = 2_000;

const test = reintSuite('link limit');

function linkOf(fid: Fid, parent: Fid, name: string): Reint {
  return { op: 'link', fid, parent, name: nameFromText(name) };
}

test('a file gets LINK_MAX names, one more is EMLINK, and again after an unlink', async ({
  sim,
}) => {
  const file = make(sim, ROOT_FID, 'file');
  const sub = make(sim, ROOT_FID, 'sub', DIRECTORY);
  for (let i = 2; i <= LINK_MAX; i++) {
    done(sim, linkOf(file, sub, `name-${i}`));
    if (i % BATCH === 0) await sim.settle();
  }
  assert.is(nlink(sim, file), LINK_MAX);
  const before = [attributes(sim, file), attributes(sim, sub), attributes(sim, ROOT_FID)];
  assert.is(reint(sim, linkOf(file, ROOT_FID, 'more')), 'EMLINK');
  assert.is(reint(sim, linkOf(file, sub, 'more')), 'EMLINK');
  assert.equal([attributes(sim, file), attributes(sim, sub), attributes(sim, ROOT_FID)], before);
  // What leaves the count alone still works.
  done(sim, renameOf([sub, 'name-2'], [ROOT_FID, 'name-2']));
  done(sim, { op: 'unlink', parent: sub, name: nameFromText('name-3') });
  assert.is(nlink(sim, file), LINK_MAX - 1);
  done(sim, linkOf(file, ROOT_FID, 'more'));
  assert.is(nlink(sim, file), LINK_MAX);
});

test('subdirectories are counted in 32 bits; made or moved there, one more is EMLINK', async ({
  sim,
}) => {
  const sub = make(sim, ROOT_FID, 'sub', DIRECTORY);
  make(sim, sub, 'd-0', DIRECTORY);
  make(sim, sub, 'd-1', DIRECTORY);
  // Two thousand million directories are more than a test can make.
  sim.server.namespace.inode(sub).nlink = DIRECTORY_LINK_MAX;
  await sim.settle();
  make(sim, ROOT_FID, 'other', DIRECTORY);
  make(sim, ROOT_FID, 'file');
  make(sim, sub, 'inside');
  const mkdir = { op: 'create', parent: sub, name: nameFromText('more'), mode: DIRECTORY } as const;
  assert.is(reint(sim, { ...mkdir, umask: 0, rdev: 0, open: false }), 'EMLINK');
  assert.is(reint(sim, renameOf([ROOT_FID, 'other'], [sub, 'more'])), 'EMLINK');
  // For a directory in exchange for a file the count would grow as well.
  const exchange = renameOf([ROOT_FID, 'other'], [sub, 'inside'], EXCHANGE);
  assert.is(reint(sim, exchange), 'EMLINK');
  assert.is(nlink(sim, sub), DIRECTORY_LINK_MAX);
  // Files are not counted, and a directory may take the place of another.
  make(sim, sub, 'file');
  done(sim, renameOf([ROOT_FID, 'other'], [sub, 'd-0']));
  assert.is(nlink(sim, sub), DIRECTORY_LINK_MAX);
  done(sim, { op: 'rmdir', parent: sub, name: nameFromText('d-1') });
  make(sim, sub, 'more', DIRECTORY);
  assert.is(nlink(sim, sub), DIRECTORY_LINK_MAX);
});

test.run();
