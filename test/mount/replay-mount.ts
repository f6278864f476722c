/** A mount whose feed is compared, again and again, with the tree it describes. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { Applier } from '../support/applier.js';
import type { TestMount } from '../support/mount.js';
import { type DiffOptions, diffTrees, snapshotTree, type Tree } from '../support/snapshot-tree.js';

const FEED = 'replay';
const ROOT_MODE = 0o777;
/** Lines of the feed that a failure shows. */
const SHOWN_LINES = 30;

/** A mount, and a folder beside it. */
export type Replayed = Pick<TestMount, 'mnt' | 'folder' | 'feed'>;

export class ReplayMount {
  readonly #mount: Replayed;
  readonly #target: string;

  /** `target` is where the feed is applied; it need not exist. */
  constructor(mount: Replayed, target = join(mount.folder, 'target')) {
    this.#mount = mount;
    this.#target = target;
  }

  /** An empty filesystem, and a new feed on it. */
  begin(): void {
    const { mnt } = this.#mount;
    for (const name of fs.readdirSync(mnt, 'buffer')) {
      const path = Buffer.concat([Buffer.from(`${mnt}/`), name]);
      fs.rmSync(path, { recursive: true, force: true });
    }
    // What was open and is closed now must not be told to the new feed.
    this.quiesce();
    const feed = join(mnt, '.lustre', 'feeds', FEED);
    if (fs.existsSync(feed)) fs.rmdirSync(feed);
    fs.chmodSync(mnt, ROOT_MODE);
    this.quiesce();
    fs.utimesSync(mnt, 0, 0);
    this.#mount.feed(FEED);
  }

  /** Returns once everything that was done and closed is on disk, and so on the feed. */
  quiesce(): void {
    const fd = fs.openSync(this.#mount.mnt, 'r');
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  }

  /**
   * Applies the whole feed to an empty directory; throws if that is not like the mount.
   * No record tells of reading: access times are compared where it changes none.
   */
  check(compared: DiffOptions = { atime: isNoatime(this.#mount.mnt) }): void {
    const { mnt } = this.#mount;
    this.quiesce();
    fs.rmSync(this.#target, { recursive: true, force: true });
    fs.mkdirSync(this.#target);
    // As begin() has left the root.
    fs.chmodSync(this.#target, ROOT_MODE);
    fs.utimesSync(this.#target, 0, 0);
    const tree = snapshotTree(mnt);
    const lines = this.#lines();
    const complain = (what: string): Error =>
      new Error([what, 'the feed:', ...lines.slice(-SHOWN_LINES)].join('\n'));
    try {
      const applier = new Applier(this.#target);
      for (const line of lines) applier.apply(line);
      applier.finish((fid, offset, length) => this.#readExtent(fid, offset, length));
    } catch (error) {
      throw complain(`${error}`);
    }
    const target = snapshotTree(this.#target);
    const found = diffTrees(withOneAtime(tree), withOneAtime(target), compared);
    if (found.length > 0) throw complain(['mount and target:', ...found].join('\n'));
  }

  /** What the feed owes now, as lines. */
  #lines(): string[] {
    const path = join(this.#mount.mnt, '.lustre', 'feeds', FEED, 'stream.ndjson');
    const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    const parts: Buffer[] = [];
    try {
      for (;;) {
        const buffer = Buffer.alloc(1024 * 1024);
        parts.push(buffer.subarray(0, fs.readSync(fd, buffer)));
      }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    } finally {
      fs.closeSync(fd);
    }
    return Buffer.concat(parts).toString('utf8').split('\n').slice(0, -1);
  }

  /** Files of the mount are read by FID: where they are by now does not matter. */
  #readExtent(fid: string, offset: number, length: number): Uint8Array | undefined {
    const fd = fs.openSync(join(this.#mount.mnt, '.lustre', 'fid', fid), 'r');
    try {
      const buffer = Buffer.alloc(length);
      return buffer.subarray(0, fs.readSync(fd, buffer, 0, length, offset));
    } finally {
      fs.closeSync(fd);
    }
  }
}

/** Whether the mount has the option noatime. */
function isNoatime(mnt: string): boolean {
  const lines = fs.readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const options = lines.map((line) => line.split(' ')).find(([, path]) => path === mnt)?.[3];
  return options?.split(',').includes('noatime') === true;
}

/** The walk reads an object at its first path, and so may change the atime that it sees at the others. */
function withOneAtime(tree: Tree): Tree {
  return Object.fromEntries(
    Object.entries(tree).map(([path, entry]) => {
      const first = tree[entry.linkedTo ?? path] ?? entry;
      return [path, { ...entry, atime: first.atime }];
    }),
  );
}
