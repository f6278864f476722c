/** One tree of one size, copied in all ways. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Disk, makeDisk } from '../disk.js';
import {
  CLONE_BYTES_PER_FILE,
  DISK_BYTES,
  DISK_INODES,
  LARGE_COUNT,
  LONG_COMMAND_MS_MAX,
} from '../limits.js';
import { availableMemoryBytes } from '../machine.js';
import type { Figures, Samples } from '../samples.js';
import { onFeedfs } from '../scale/store.js';
import type { BenchContext } from '../section.js';
import { has, waitUntil } from '../shell.js';
import { number } from '../table.js';
import {
  ChangeLook,
  changeTree,
  clockMs,
  dropCaches,
  makeTree,
  removeCopy,
  rsync,
  type Sender,
  sendReceive,
} from './copies.js';
import { Follower, startLsyncd } from './followers.js';

const FEED = 'bench';
const TREE = 'tree';
const MS_PER_S = 1_000;
/** The plain tree and three copies: each file is an inode of the disk four times. */
const TREES = 4;

/** What a row of the tables is about. */
export const BASELINE = 'all of it, to nothing';
export const UPDATE = 'the changes';
export const COLD = 'the changes, caches dropped';
export const RUNNING = 'the changes, running';
export const RENAME = 'a rename of all, running';
export const RENAME_WORK = 'CPU of the receiver for the rename';
export const START = 'start';

/** The figure of a sample. */
export const SECONDS = 'seconds';

export const sampleName = (who: string, what: string, files: number) => `${who}: ${what}, ${files}`;

interface Places {
  readonly sender: Sender;
  /** The mount: what a copy of it has at its top. */
  readonly source: string;
  readonly copy: string;
  /** A plain directory with the same tree, and copies by rsync of both. */
  readonly plain: string;
  readonly plainCopy: string;
  /** Undefined where there is no room for a third copy. */
  readonly sourceCopy: string | undefined;
}

class Sized {
  readonly #context: BenchContext;
  readonly #places: Places;
  readonly #files: number;
  readonly #samples: Samples;
  #version = 0;

  constructor(context: BenchContext, places: Places, files: number, samples: Samples) {
    this.#context = context;
    this.#places = places;
    this.#files = files;
    this.#samples = samples;
  }

  #add(who: string, round: number, figures: Figures): void {
    for (const [what, seconds] of Object.entries(figures)) {
      this.#samples.add(sampleName(who, what, this.#files), round, { [SECONDS]: seconds });
    }
  }

  /** In both sources; when the last change of the second was made. */
  async #change(...roots: string[]): Promise<number> {
    this.#version++;
    const count = this.#context.sizes.cloneChanges;
    let last = 0;
    for (const root of roots) {
      last = await changeTree(join(root, TREE), this.#files, count, this.#version);
    }
    return last;
  }

  async baseline(round: number): Promise<void> {
    const { sender, source, copy, plain, plainCopy, sourceCopy } = this.#places;
    for (const target of [copy, plainCopy, sourceCopy]) {
      if (target === undefined) continue;
      removeCopy(target);
      fs.mkdirSync(target);
    }
    const seconds = await sendReceive(sender, '--baseline', copy);
    this.#add('feedfs', round, { [BASELINE]: seconds });
    this.#add('rsync', round, { [BASELINE]: await rsync(plain, plainCopy) });
    if (sourceCopy === undefined) return;
    this.#add('rsync, same source', round, { [BASELINE]: await rsync(source, sourceCopy) });
  }

  async update(round: number): Promise<void> {
    const { sender, source, copy, plain, plainCopy, sourceCopy } = this.#places;
    const figures: Record<string, Record<string, number>> = {};
    for (const what of [UPDATE, COLD]) {
      await this.#change(source, plain);
      const ways = {
        feedfs: () => sendReceive(sender, '--from last', copy),
        rsync: () => rsync(plain, plainCopy),
        ...(sourceCopy === undefined
          ? {}
          : { 'rsync, same source': () => rsync(source, sourceCopy) }),
      };
      for (const [who, way] of Object.entries(ways)) {
        if (what === COLD && !dropCaches()) continue;
        figures[who] = { ...figures[who], [what]: await way() };
      }
    }
    for (const [who, measured] of Object.entries(figures)) this.#add(who, round, measured);
  }

  /** From the last change until it is confirmed, that is on the target's disk. */
  async follow(round: number): Promise<void> {
    const { sender, source, copy } = this.#places;
    const follower = new Follower(this.#context.cleanup, sender, copy);
    try {
      // The first changes find the two just starting.
      await this.#change(source);
      await follower.confirmed(this.#look(copy));
      const last = await this.#change(source);
      const changes = ((await follower.confirmed(this.#look(copy))) - last) / MS_PER_S;
      const used = follower.receiverSeconds();
      const rename = await renamed(follower, source, copy, TREE, `${TREE}-renamed`);
      const work = follower.receiverSeconds() - used;
      await renamed(follower, source, copy, `${TREE}-renamed`, TREE);
      this.#add('feedfs running', round, {
        [RUNNING]: changes,
        [RENAME]: rename,
        [RENAME_WORK]: work,
      });
    } finally {
      await follower.stop();
    }
  }

  /** Whether a copy has the last changes. */
  #look(copy: string): () => boolean {
    const { cloneChanges } = this.#context.sizes;
    const look = new ChangeLook(join(copy, TREE), this.#files, cloneChanges, this.#version);
    return () => look.hasAll();
  }

  /** From the last change until the copy has it; whether it is on disk lsyncd does not say. */
  async lsyncd(round: number): Promise<void> {
    const { plain, plainCopy } = this.#places;
    const lsyncd = await startLsyncd(this.#context.cleanup, plain, plainCopy);
    try {
      const last = await this.#change(plain);
      const hasAll = this.#look(plainCopy);
      if (!(await waitUntil(hasAll, LONG_COMMAND_MS_MAX))) throw new Error('no copy');
      const seconds = (clockMs() - last) / MS_PER_S;
      this.#add('lsyncd', round, { [RUNNING]: seconds, [START]: lsyncd.startSeconds });
    } finally {
      await lsyncd.stop();
    }
  }
}

/** Seconds from a rename until it is confirmed. */
async function renamed(
  follower: Follower,
  source: string,
  copy: string,
  from: string,
  to: string,
): Promise<number> {
  const start = clockMs();
  fs.renameSync(join(source, from), join(source, to));
  return ((await follower.confirmed(() => fs.existsSync(join(copy, to)))) - start) / MS_PER_S;
}

/** A disk with room for all that is made of a tree; undefined where there is too little memory. */
export async function diskOfSize(context: BenchContext, files: number): Promise<Disk | undefined> {
  const bytes = files * CLONE_BYTES_PER_FILE;
  if (bytes <= DISK_BYTES && files * TREES <= DISK_INODES) return context.disk;
  if (availableMemoryBytes() < bytes) return undefined;
  const dir = join(context.dir, `large-${files}`);
  return await makeDisk(context.cleanup, dir, {
    bytes: Math.max(bytes, DISK_BYTES),
    manyInodes: true,
  });
}

/** Makes the tree of `files` files and measures everything with it; it is gone afterwards. */
export async function measureSize(
  context: BenchContext,
  disk: Disk,
  files: number,
  samples: Samples,
): Promise<void> {
  const { sizes, progress } = context;
  const below = join(disk.dir, `clone-${files}`);
  fs.mkdirSync(below);
  const plain = join(below, 'plain');
  fs.mkdirSync(plain);
  progress(`clone: making two trees of ${number(files)} files`);
  await makeTree(join(plain, TREE), files);
  await onFeedfs(context, disk, `clone-${files}/store`, async (server) => {
    const source = server.mountpoint;
    await makeTree(join(source, TREE), files);
    const places: Places = {
      sender: { mnt: source, feed: FEED },
      source,
      copy: join(below, 'copy'),
      plain,
      plainCopy: join(below, 'plain-copy'),
      sourceCopy: files < LARGE_COUNT ? join(below, 'source-copy') : undefined,
    };
    const sized = new Sized(context, places, files, samples);
    const rounds = (count: number, what: string, measure: (round: number) => Promise<void>) =>
      inTurn(count, async (round) => {
        progress(`clone: ${number(files)} files, ${what}, round ${round + 1} of ${count}`);
        await measure(round);
      });
    await rounds(sizes.cloneBaselines, 'baseline', (round) => sized.baseline(round));
    await rounds(sizes.cloneRounds, 'update', (round) => sized.update(round));
    await rounds(sizes.cloneRounds, 'following', (round) => sized.follow(round));
    if (has('lsyncd')) {
      await rounds(sizes.cloneBaselines, 'lsyncd', (round) => sized.lsyncd(round));
    }
  });
  fs.rmSync(below, { recursive: true });
}

async function inTurn(count: number, measure: (round: number) => Promise<void>): Promise<void> {
  for (let round = 0; round < count; round++) await measure(round);
}
