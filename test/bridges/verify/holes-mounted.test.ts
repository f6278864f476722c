/** Whose holes are believed: nothing that a reader sees may be passed over. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Finding } from '../../../src/bridges/verify/finding.js';
import { Ignored } from '../../../src/bridges/verify/ignored.js';
import { compareTrees } from '../../../src/bridges/verify/trees.js';
import { ExitCode } from '../../../src/cli/exit-codes.js';
import { mmap } from '../../posix/libc.js';
import { feedfs, withFolder, withMount } from '../../support/mount.js';
import { brief, findings, setTimes } from './compare.js';

const SIZE = 8 * 2 ** 20;
const TOUCHED = 4 * 2 ** 20;
const HUGE = 2 ** 40;

async function all(found: AsyncIterable<Finding>): Promise<Finding[]> {
  const list: Finding[] = [];
  for await (const finding of found) list.push(finding);
  return list;
}

/** A tree with one file that is all hole. */
function makeSparse(root: string, size: number): string {
  fs.mkdirSync(root);
  const path = join(root, 'sparse');
  fs.writeFileSync(path, '');
  fs.truncateSync(path, size);
  setTimes(root);
  return path;
}

test('what a mapping changed in a hole is found before the kernel tells the filesystem', () =>
  withMount(async ({ mnt, folder }) => {
    const [a, b] = [join(mnt, 'a'), join(folder, 'b')];
    const path = makeSparse(a, SIZE);
    makeSparse(b, SIZE);
    assert.equal(await findings(a, b), []);
    const fd = fs.openSync(path, 'r+');
    const map = mmap(fd, SIZE, 'shared');
    try {
      map.bytes[TOUCHED] = 65;
      const [found, ...others] = await findings(a, b);
      assert.ok(found?.kind === 'difference' && found.property === 'contents');
      assert.is(found.offset, TOUCHED);
      assert.is(others.length, 0);
      assert.equal(brief(await findings(b, a)), ['sparse contents']);
    } finally {
      map.unmap();
      fs.closeSync(fd);
    }
  }));

test('holes behind FUSE are believed if the user says so, after a sync', () =>
  withMount(async ({ mnt, folder }) => {
    const [a, b] = [join(mnt, 'a'), join(folder, 'b')];
    const path = makeSparse(a, HUGE);
    makeSparse(b, HUGE);
    // Read as a whole, this would take hours.
    const equal = await feedfs(['verify', '--trust-holes', a, b]);
    assert.is(equal.code, ExitCode.OK, equal.stderr);
    const fd = fs.openSync(path, 'r+');
    const map = mmap(fd, SIZE, 'shared');
    try {
      map.bytes[TOUCHED] = 65;
      // In this process: a fork would give the filesystem what is in the mapping.
      const trusting = async (): Promise<Finding[]> => {
        const options = { ignored: new Ignored(['mtime']), progress: { objects: 0, bytes: 0 } };
        return await all(compareTrees(a, b, { ...options, trustHoles: true }));
      };
      // The sync changes the time of the file: it changed meanwhile, and the next one says how.
      assert.equal(brief(await trusting()), ['sparse trouble']);
      const [found] = await trusting();
      assert.ok(found?.kind === 'difference' && found.property === 'contents');
      assert.is(found.offset, TOUCHED);
    } finally {
      map.unmap();
      fs.closeSync(fd);
    }
  }));

test('a file that changes while it is found equal is told, whichever side it is on', () =>
  withFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    for (const side of [a, b]) {
      for (const root of [a, b]) {
        fs.rmSync(root, { recursive: true, force: true });
        fs.mkdirSync(root);
        fs.writeFileSync(join(root, 'file'), Buffer.alloc(SIZE, 'x'));
        setTimes(root);
      }
      // What was compared already is changed under way.
      let bytes = 0;
      const progress = {
        objects: 0,
        get bytes() {
          return bytes;
        },
        set bytes(now: number) {
          if (bytes < TOUCHED && now >= TOUCHED) fs.chmodSync(join(side, 'file'), 0o600);
          bytes = now;
        },
      };
      const found = await all(compareTrees(a, b, { ignored: new Ignored([]), progress }));
      const of = side === a ? 'a' : 'b';
      const message = 'changed while it was compared';
      assert.equal(found, [{ kind: 'trouble', path: 'file', side: of, message }]);
    }
  }));

test.run();
