/**
 * Freezes a store of the current format, once per format and by hand:
 *
 *     node dist/test/formats/freeze.js test/formats/format-N.json.gz
 *
 * It has every kind of object, of layout and of name, objects without a name that are
 * open, and feeds that owe all, some and nothing, are filtered, limited and expired.
 */
import { join } from 'node:path';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { DIRECTORY, done, FILE, make, renameOf } from '../mds/reint-fixture.js';
import { ACCESS, aclOf, DEFAULT } from '../support/acl.js';
import { contentsOf, freeze } from '../support/frozen-store.js';
import { withFolder } from '../support/mount.js';
import { Simulated } from '../support/simulated.js';
import { createFile, O_RDWR, releaseOf, writeOf } from '../support/simulated-files.js';
import { makeFeedsOfFormat2 } from './freeze-feeds.js';

const BOOT = 'frozen';
const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: freeze FILE');

const link = (sim: Simulated, fid: Fid, parent: Fid, name: string): void =>
  void done(sim, { op: 'link', fid, parent, name: nameFromText(name) });

async function feed(sim: Simulated, text: string): Promise<number> {
  let id = 0;
  sim.connection.call('feedCreate', { name: nameFromText(text) }, (_errno, made) => {
    id = made?.id ?? 0;
  });
  await sim.settle();
  return id;
}

async function punch(sim: Simulated, id: number, offset: number, length: number): Promise<void> {
  sim.connection.call('feedPunch', { id, view: 'stream', epoch: 0, offset, length }, () => {});
  await sim.settle();
}

/** A file with data: up to 8 KiB they are inline, more are an object file. */
async function write(sim: Simulated, name: string, bytes: number): Promise<Fid> {
  const open = createFile(sim, name);
  const data = Buffer.alloc(bytes, `${name} `);
  await sim.answer('write', writeOf(open, 0, data));
  await sim.answer('release', releaseOf(open));
  return open.fid;
}

function makeDirectories(sim: Simulated): Fid {
  const top = make(sim, ROOT_FID, 'top', 0o042755);
  const inner = make(sim, top, 'inner', DIRECTORY);
  const moved = make(sim, top, 'moved', DIRECTORY);
  done(sim, renameOf([top, 'moved'], [inner, 'came']));
  make(sim, moved, 'leaf');
  for (const [name, mode] of [
    ['fifo', 0o010640],
    ['char', 0o020600],
    ['socket', 0o140755],
  ] as const) {
    make(sim, inner, name, mode);
  }
  const value = aclOf('u::rwx', 'u:7:rw-', 'g::r-x', 'm::rwx', 'o::---');
  for (const name of [ACCESS, DEFAULT]) {
    done(sim, { op: 'setxattr', fid: inner, name: nameFromText(name), value, flags: 0 });
  }
  make(sim, inner, 'inherits');
  return inner;
}

function makeLinks(sim: Simulated, inner: Fid): void {
  const one = make(sim, ROOT_FID, 'one of four');
  link(sim, one, ROOT_FID, 'two of four');
  link(sim, one, inner, 'three of four');
  link(sim, one, inner, 'four of four');
  const symlink = done(sim, {
    op: 'symlink',
    parent: inner,
    name: nameFromText('symlink'),
    target: 'three of four',
  });
  link(sim, symlink.fid, ROOT_FID, 'symlink again');
  done(sim, {
    op: 'symlink',
    parent: ROOT_FID,
    name: nameFromText('Grüße'),
    target: 'x'.repeat(300),
  });
  make(sim, ROOT_FID, 'whited out');
  done(sim, renameOf([ROOT_FID, 'whited out'], [inner, 'shows'], 4));
  const gone = make(sim, ROOT_FID, 'gone');
  link(sim, gone, inner, 'not gone');
  done(sim, { op: 'unlink', parent: ROOT_FID, name: nameFromText('gone') });
}

/** Objects that a crash leaves as orphans. */
function makeNameless(sim: Simulated): void {
  const file = make(sim, ROOT_FID, 'unlinked');
  const directory = make(sim, ROOT_FID, 'removed', DIRECTORY);
  for (const fid of [file, directory]) sim.rpc('open', { fid });
  done(sim, { op: 'unlink', parent: ROOT_FID, name: nameFromText('unlinked') });
  done(sim, { op: 'rmdir', parent: ROOT_FID, name: nameFromText('removed') });
  sim.ask('tmpfile', { nodeId: ROOT_FID, mode: 0o640, flags: O_RDWR, umask: 0 });
}

await withFolder(async (folder) => {
  const path = join(folder, 'store');
  const sim = new Simulated(path, { bootId: BOOT });
  await sim.settle();
  await feed(sim, 'all');
  const some = await feed(sim, 'some');
  const inner = makeDirectories(sim);
  makeLinks(sim, inner);
  const small = await write(sim, 'small', 100);
  done(sim, {
    op: 'setxattr',
    fid: small,
    name: nameFromText('user.x'),
    value: Buffer.from('y'),
    flags: 0,
  });
  await write(sim, 'large', 20_000);
  for (let i = 0; i < 40; i++) make(sim, inner, `file ${i}`, FILE);
  await sim.settle();
  const none = await feed(sim, 'none');
  await punch(sim, some, 0, 500);
  await punch(sim, some, 1_000, 700);
  make(sim, ROOT_FID, 'last');
  await sim.settle();
  await punch(sim, none, 0, sim.server.log.visibleEnd.offset);
  await makeFeedsOfFormat2(sim);
  makeNameless(sim);
  await sim.settle();
  const contents = await contentsOf(sim);
  const crashed = join(folder, 'crashed');
  await sim.crash(crashed);
  freeze(crashed, contents, file);
});
