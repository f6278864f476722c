/** The store that the cases of fsck damage: a bit of everything. */
import { join } from 'node:path';
import { must } from '../../src/base/assert.js';
import { ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { type Bench, makeStore, withTemp } from '../support/damage.js';
import type { Made } from './fsck-cases.js';

async function build(bench: Bench, files: number): Promise<Made> {
  await bench.call('feedCreate', { name: nameFromText('first') });
  const folder = bench.folder('folder');
  const inner = bench.folder('inner', folder.fid);
  const small = bench.file('small', inner.fid);
  bench.write(small, Buffer.from('contents'));
  bench.change({
    op: 'setxattr',
    fid: small.fid,
    name: nameFromText('user.x'),
    value: Buffer.from('value'),
    flags: 0,
  });
  const large = bench.file('large');
  bench.write(large, Buffer.alloc(20_000, 'x'));
  const linked = bench.file('linked');
  bench.change({ op: 'link', fid: linked.fid, parent: folder.fid, name: nameFromText('again') });
  bench.change({ op: 'symlink', parent: ROOT_FID, name: nameFromText('link'), target: 'folder' });
  await bench.settle();
  await bench.call('feedCreate', { name: nameFromText('second') });
  for (let i = 0; i < files; i++) bench.file(`file${i}`, folder.fid);
  await bench.settle();
  // Some of the first records; the first feed has them alone.
  await bench.call('feedPunch', { id: 1, view: 'stream', epoch: 0, offset: 200, length: 600 });
  const fids = { folder, inner, small, large, linked };
  return Object.fromEntries(
    Object.entries(fids).map(([name, { fid }]) => [name, fid]),
  ) as unknown as Made;
}

/** Files beside the few that the cases name: so many records are several blocks. */
const FILES = 700;

/** Runs `use` with a new store, and what was made in it. */
export async function withCaseStore(
  use: (path: string, made: Made) => void | Promise<void>,
  files = FILES,
): Promise<void> {
  await withTemp(async (folder) => {
    const path = join(folder, 'store');
    let made: Made | undefined;
    await makeStore(path, async (bench) => {
      made = await build(bench, files);
    });
    await use(path, must(made, 'store'));
  });
}
