/** Does the steps of clone-step.ts on a directory tree. */
import * as fs from 'node:fs';
import type { Path, Step } from '../mount/tree-step.js';
import { isRefusal, TreeWork } from '../mount/tree-work.js';
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  fallocate,
  mknod,
  setxattr,
} from '../posix/libc.js';
import { AT_FDCWD, AT_SYMLINK_FOLLOW, linkat } from '../posix/syscalls.js';
import type { CloneStep, LargeStep, Way } from './clone-step.js';

const { O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = fs.constants;
const O_TMPFILE = 0o20000000 | O_DIRECTORY;
const S_IFSOCK = 0o140000;
const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
const NAME_BYTES_MAX = 255;
/** Of each name there are so many in a directory. */
const VARIANTS = 4;

/** What makes its path; all else works on what is there. */
const MAKES = new Set<string>([
  ...['mkdir', 'create', 'fifo', 'device', 'symlink', 'socket', 'tmpfile', 'tree', 'fleeting'],
]);

/** What would give its path to something else. */
const MOVES = new Set<string>([
  'link',
  'rename',
  'noreplace',
  'exchange',
  'save',
  'remove',
  'replace',
]);

export class CloneWork {
  readonly #small: TreeWork;

  constructor(root: string) {
    this.#small = new TreeWork(root);
  }

  /** Does one step; false if a call of it was refused with an errno, and the rest of it left out. */
  run({ what, ways }: CloneStep): boolean {
    const one = ways === undefined ? what : this.#placed(what, ways);
    // The root of a mount stays where it is.
    if (MOVES.has(one.op) && 'path' in one && one.path === '') return false;
    if ('to' in one && one.to === '') return false;
    if (!isLarge(one)) return this.#small.run(one);
    try {
      // The table's type says it fits; the compiler cannot know that `one` and its entry agree.
      const act = ACTS[one.op] as (work: CloneWork, one: LargeStep) => void;
      act(this, one);
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error && isRefusal(`${error.code}`)) return false;
      throw error;
    }
  }

  /** Does them all; how many were not refused. */
  runAll(steps: readonly CloneStep[]): number {
    return steps.filter((one) => this.run(one)).length;
  }

  /** Closes what steps have left open: nothing is written without a record any more. */
  close(): void {
    this.#small.close();
  }

  at(below: Path): Buffer {
    return this.#small.at(below);
  }

  bytes(count: number): Buffer {
    return this.#small.bytes(count);
  }

  /** What is not followed or waited for: a symlink, a FIFO. */
  withOpen(path: Path, flags: number, use: (fd: number) => void): void {
    const fd = fs.openSync(this.at(path), flags | O_NONBLOCK | O_NOFOLLOW, 0o644);
    try {
      use(fd);
    } finally {
      fs.closeSync(fd);
    }
  }

  #placed(what: Step | LargeStep, ways: NonNullable<CloneStep['ways']>): Step | LargeStep {
    if (!('path' in what)) return what;
    const path = MAKES.has(what.op)
      ? this.#fresh(ways.path, what.path)
      : this.#existing(ways.path).path;
    if (!('to' in what)) return { ...what, path };
    const isOnto = what.op === 'exchange' || ways.onto;
    return {
      ...what,
      path,
      to: isOnto ? this.#existing(ways.to).path : this.#fresh(ways.to, what.to),
    };
  }

  /** Where a way ends, and whether that is a directory. */
  #existing(way: Way): { readonly path: Path; readonly isDirectory: boolean } {
    let path: Path = '';
    for (const number of way) {
      const entries = fs.readdirSync(this.at(path), { withFileTypes: true, encoding: 'buffer' });
      const sorted = entries.sort((a, b) => Buffer.compare(a.name, b.name));
      const entry = sorted[number % sorted.length];
      if (entry === undefined) break;
      path = below(path, entry.name.toString('latin1'));
      if (!entry.isDirectory()) return { path, isDirectory: false };
    }
    return { path, isDirectory: true };
  }

  /** A name in the directory that a way leads to. */
  #fresh(way: Way, wanted: Path): Path {
    const { path, isDirectory } = this.#existing(way);
    const directory = isDirectory ? path : directoryOf(path);
    const variant = (way[0] ?? 0) % VARIANTS;
    const name = lastOf(wanted);
    const isLong = name.length === NAME_BYTES_MAX;
    return below(directory, variant === 0 || isLong ? name : `${name}${variant}`);
  }
}

function below(directory: Path, name: string): Path {
  return directory === '' ? name : `${directory}/${name}`;
}

function directoryOf(path: Path): Path {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function lastOf(path: Path): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

type Of<O extends LargeStep['op']> = Extract<LargeStep, { op: O }>;

/** What each step does. */
const ACTS: { readonly [O in LargeStep['op']]: (work: CloneWork, one: Of<O>) => void } = {
  tmpfile(work, { path, length }) {
    work.withOpen(directoryOf(path), O_RDONLY | O_DIRECTORY, (directory) =>
      work.withOpen(directoryOf(path), O_TMPFILE | O_RDWR, (fd) => {
        fs.writeSync(fd, work.bytes(length));
        const name = Buffer.from(lastOf(path), 'latin1').toString();
        linkat(AT_FDCWD, `/proc/self/fd/${fd}`, directory, name, AT_SYMLINK_FOLLOW);
      }),
    );
  },
  orphan(work, { path, length }) {
    const at = work.at(path);
    if (!fs.lstatSync(at).isFile()) return;
    work.withOpen(path, O_RDWR, (fd) => {
      fs.unlinkSync(at);
      fs.writeSync(fd, work.bytes(length));
      fs.fsyncSync(fd);
    });
  },
  tree(work, { path, depth, files }) {
    let inner = path;
    for (let level = 0; level < depth; level++) {
      fs.mkdirSync(work.at(inner), level % 2 === 0 ? 0o755 : 0o2770);
      inner = `${inner}/b`;
    }
    for (let i = 0; i < files; i++) fs.writeFileSync(work.at(`${inner}-${i}`), work.bytes(i * 900));
    fs.symlinkSync('../a', work.at(`${inner}-link`));
    fs.linkSync(work.at(`${inner}-0`), work.at(`${inner}-again`));
  },
  remove: (work, { path }) => fs.rmSync(work.at(path), { recursive: true }),
  replace(work, { path }) {
    const wasDirectory = fs.lstatSync(work.at(path)).isDirectory();
    fs.rmSync(work.at(path), { recursive: true });
    if (!wasDirectory) fs.mkdirSync(work.at(path));
    fs.writeFileSync(work.at(wasDirectory ? path : `${path}/a`), work.bytes(100));
  },
  save(work, { path, length }) {
    const beside = work.at(`${path}~`);
    fs.writeFileSync(beside, work.bytes(length), { flush: true });
    setxattr(beside, 'user.a', Buffer.from('saved'));
    try {
      fs.renameSync(beside, work.at(path));
    } finally {
      fs.rmSync(beside, { force: true });
    }
  },
  sparse(work, { path, at, length }) {
    work.withOpen(path, O_RDWR | O_CREAT, (fd) => {
      if (!fs.fstatSync(fd).isFile()) return;
      fs.writeSync(fd, work.bytes(length), 0, length, at);
      fs.writeSync(fd, work.bytes(100), 0, 100, 0);
      fallocate(fd, PUNCH, at + 1_000, Math.max(1, length >> 1));
      fs.ftruncateSync(fd, at + length);
    });
  },
  fleeting(work, { path }) {
    const [first, second, third] = [1, 2, 3].map((i) => work.at(`${path}+${i}`));
    if (first === undefined || second === undefined || third === undefined) return;
    fs.writeFileSync(first, work.bytes(20_000));
    fs.renameSync(first, second);
    fs.linkSync(second, third);
    fs.rmSync(second);
    fs.rmSync(third);
  },
  names(work, { path, count }) {
    for (let i = 0; i < count; i++) {
      fs.linkSync(work.at(path), work.at(i % 2 === 0 ? `${path}=${i}` : `=${i}`));
    }
  },
  socket: (work, { path, mode }) => mknod(work.at(path), S_IFSOCK | mode),
  invert(work, { path }) {
    const outer = directoryOf(path);
    if (outer === '') return;
    fs.renameSync(work.at(path), work.at(`${outer}%`));
    fs.renameSync(work.at(outer), work.at(`${outer}%/under`));
    fs.renameSync(work.at(`${outer}%`), work.at(outer));
  },
};

function isLarge(one: Step | LargeStep): one is LargeStep {
  return one.op in ACTS;
}
