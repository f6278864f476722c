/** verify and rsync agree on random trees: whether they are equal, and where they are not. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ACCESS, aclOf } from '../../support/acl.js';
import { lutimens, mknod } from '../../support/libc.js';
import { withFolder } from '../../support/mount.js';
import { run, runOk } from '../../support/processes.js';
import { Random } from '../../support/random.js';
import { brief, findings, setXattr } from './compare.js';

const SEEDS = 25;
const OBJECTS = 40;
const S_IFIFO = 0o010000;
/** Whole seconds: rsync looks at no more. */
const TIMES = [1_000_000_000n, 1_300_000_000n, 1_600_000_000n].map((sec) => sec * 1_000_000_000n);

const rsync = (await run('which', ['rsync'])).code === 0;

/** Makes something at a free path, or changes what is there; all of it decided by `random`. */
function step(root: string, random: Random): void {
  const directories = pathsOf(root, (stat) => stat.isDirectory());
  const files = pathsOf(root, (stat) => stat.isFile());
  const directory = random.pick(directories) ?? root;
  const path = join(directory, `n${random.below(30)}`);
  const file = random.pick(files);
  const isFree = fs.lstatSync(path, { throwIfNoEntry: false }) === undefined;
  const kind = random.below(10);
  if (isFree && kind < 4) fs.writeFileSync(path, 'x'.repeat(random.below(5)));
  else if (isFree && kind < 6) fs.mkdirSync(path);
  else if (isFree && kind < 7) fs.symlinkSync(`to-${random.below(3)}`, path);
  else if (isFree && kind < 8) mknod(Buffer.from(path), S_IFIFO | 0o600, 0);
  else if (isFree && kind < 10 && file !== undefined) fs.linkSync(file, path);
}

function pathsOf(root: string, wanted: (stat: fs.Stats) => boolean): string[] {
  const names = fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
  return [root, ...names.map((name) => join(root, name))].filter((path) =>
    wanted(fs.lstatSync(path)),
  );
}

/** A small change of one object, which both tools can see. */
function mutate(root: string, random: Random): void {
  const path = random.pick(pathsOf(root, () => true)) ?? root;
  const stat = fs.lstatSync(path);
  const isPlain = stat.isFile() || stat.isDirectory();
  switch (random.below(8)) {
    case 0:
      if (isPlain) fs.chmodSync(path, random.pick([0o600, 0o755, 0o4711]) ?? 0);
      return;
    case 1:
      return fs.lchownSync(path, random.below(3), random.below(3));
    case 2:
      if (isPlain) setXattr(path, 'user.x', `${random.below(3)}`);
      return;
    case 3:
      if (isPlain) setXattr(path, ACCESS, aclOf('u::rw-', 'u:7:r--', 'g::r--', 'm::r--', 'o::---'));
      return;
    case 4:
      if (stat.isFile()) fs.writeFileSync(path, 'y'.repeat(random.below(5)));
      return;
    case 5:
      if (path !== root) fs.rmSync(path, { recursive: true });
      return;
    case 6:
      if (stat.isFile()) fs.writeFileSync(`${path}-more`, '');
      return;
    default:
      return lutimens(Buffer.from(path), 0n, random.pick(TIMES) ?? 0n);
  }
}

function setAllTimes(root: string): void {
  for (const path of pathsOf(root, () => true)) lutimens(Buffer.from(path), 0n, TIMES[0] ?? 0n);
}

/** Paths that rsync would change, below the roots. */
async function rsyncPaths(a: string, b: string): Promise<Set<string>> {
  const args = ['-naiHAX', '--checksum', '--delete', `${a}/`, `${b}/`];
  const lines = (await runOk('rsync', args)).split('\n').filter((line) => line !== '');
  return new Set(
    lines.map((line) => {
      const path =
        line
          .slice(line.indexOf(' ') + 1)
          .trimStart()
          .split(/ (?:->|=>) /)[0] ?? '';
      return path === './' ? '.' : path.replace(/\/$/, '');
    }),
  );
}

/** Are they names of one object? */
function isSame(root: string, path: string, other: string): boolean {
  const [a, b] = [path, other].map((name) =>
    fs.lstatSync(join(root, name), { throwIfNoEntry: false }),
  );
  return a !== undefined && a.ino === b?.ino;
}

for (let seed = 1; rsync && seed <= SEEDS; seed++) {
  test(`verify says of a random tree what rsync says (seed ${seed})`, () =>
    withFolder(async (folder) => {
      const random = new Random(seed);
      const [a, b] = [join(folder, 'a'), join(folder, 'b')];
      fs.mkdirSync(a);
      for (let i = 0; i < OBJECTS; i++) step(a, random);
      for (let i = random.below(10); i > 0; i--) mutate(a, random);
      setAllTimes(a);
      await runOk('cp', ['-a', a, b]);
      assert.equal(await findings(a, b), [], 'a copy by cp');
      assert.equal(await rsyncPaths(a, b), new Set(), 'a copy by cp');
      const changes = random.below(4);
      for (let i = 0; i < changes; i++) mutate(b, random);
      const found = brief(await findings(a, b)).map((line) => line.split(' ', 1)[0] ?? '');
      const told = await rsyncPaths(a, b);
      for (const path of found) assert.ok(told.has(path), `rsync does not tell of ${path}`);
      // rsync lists all that is below a directory that one tree lacks, and all names of an object.
      for (const path of told) {
        const isTold = found.some(
          (one) => path.startsWith(`${one}/`) || [a, b].some((root) => isSame(root, path, one)),
        );
        assert.ok(isTold, `verify does not tell of ${path}`);
      }
    }));
}

test.run();
