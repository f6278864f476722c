/**
 * The books of a copy in a feedfs while a baseline is written into it: what is where, by FID.
 * They are kept in a temporary directory, filled from the copy's own baseline, and gone
 * afterwards: the copy itself says what it has whenever it is asked.
 */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { type Fid, ROOT_FID } from '../../../base/fid.js';
import { S_IFMT } from '../../../base/mode.js';
import { createFeed, removeFeed } from '../../../consumer/feeds.js';
import type { BaselineHead } from '../../../rpc/baseline.js';
import {
  BASELINE_ENTRY_BYTES_MAX,
  baselineEntries,
  wholeEntriesBytes,
} from '../../../rpc/baseline-entry.js';
import type { ReplicaState } from '../../../rpc/replica.js';
import { type CountingHands, openDirectoryTarget } from '../directory/directory-target.js';
import { State } from '../directory/state.js';
import type { CopyTree } from '../directory/state-tree.js';
import type { Target } from '../target.js';
import { BOOKS_ROWS_PER_COMMIT } from './limits.js';

export interface CopyBooksOptions {
  readonly mount: string;
  /** Of the copy: what it is now. */
  readonly state: ReplicaState;
  readonly head: BaselineHead;
  readonly hands: (books: CopyTree) => CountingHands;
  readonly notice: (message: string) => void;
}

/** Only the receiver that has `.lustre/replica` open makes it: one that is there was left behind. */
const OWN_FEED = '.feedfs-receive';

/** Bytes read of the copy's baseline at once. */
const READ_BYTES = 16 * BASELINE_ENTRY_BYTES_MAX;

export class CopyBooks {
  /** Plans, and does by the hands that were given. */
  readonly target: Target;
  readonly #directory: string;

  private constructor(target: Target, directory: string) {
    this.target = target;
    this.#directory = directory;
  }

  static async open(options: CopyBooksOptions): Promise<CopyBooks> {
    const { mount, state, head, hands, notice } = options;
    const prefix = path.join(tmpdir(), `feedfs-receive-${state.filesystem}-`);
    removeLeftovers(prefix);
    const directory = fs.mkdtempSync(prefix);
    try {
      if (!state.empty) await fill(directory, mount, head);
      const target = await openDirectoryTarget({
        target: mount,
        stateDirectory: directory,
        hands,
        durable: false,
        notice,
      });
      return new CopyBooks(target, directory);
    } catch (error) {
      remove(directory);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.target.close();
    remove(this.#directory);
  }
}

/** Of receivers into the same copy that were killed: there is one at a time. */
function removeLeftovers(prefix: string): void {
  const [folder, start] = [path.dirname(prefix), path.basename(prefix)];
  for (const name of fs.readdirSync(folder)) {
    const file = path.join(folder, name);
    const isOurs =
      name.startsWith(start) &&
      fs.lstatSync(file, { throwIfNoEntry: false })?.uid === process.geteuid?.();
    if (isOurs) remove(file);
  }
}

function remove(directory: string): void {
  fs.rmSync(directory, { recursive: true, force: true });
}

/** Writes down what the copy has. */
async function fill(directory: string, mount: string, head: BaselineHead): Promise<void> {
  const state = State.open(directory, { durable: false });
  try {
    await removeFeed(mount, OWN_FEED).catch(() => {});
    const feed = await createFeed(mount, OWN_FEED);
    feed.close();
    try {
      readAll(path.join(feed.path, 'baseline'), state);
    } finally {
      await removeFeed(mount, OWN_FEED);
    }
    const { filesystem, place } = head;
    const copy = { filesystem, feed: head.feed.id, baseline: 'running', place } as const;
    state.commit({ copy, root: ROOT_FID });
  } finally {
    await state.close();
  }
}

function readAll(file: string, state: State): void {
  const fd = fs.openSync(file, 'r');
  try {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    let filled = 0;
    for (;;) {
      const count = fs.readSync(fd, buffer, filled, buffer.length - filled, null);
      if (count === 0) break;
      filled += count;
      const whole = wholeEntriesBytes(buffer.subarray(0, filled));
      for (const entry of baselineEntries(buffer.subarray(0, whole))) {
        if (entry.kind === 'object') {
          const { fid, parent, name, attributes } = entry;
          const type = attributes.mode & S_IFMT;
          state.put(fid, { inode: fid, type, names: [{ parent, name, seen: 0 }] });
        } else if (entry.kind === 'name') {
          addName(state, entry.fid, entry);
        }
      }
      buffer.copyWithin(0, whole, filled);
      filled -= whole;
      if (state.uncommitted >= BOOKS_ROWS_PER_COMMIT) state.commit({});
    }
  } finally {
    fs.closeSync(fd);
  }
}

function addName(
  state: State,
  fid: Fid,
  { parent, name }: { readonly parent: Fid; readonly name: string },
): void {
  const object = state.object(fid);
  if (object === undefined) return;
  state.put(fid, { ...object, names: [...object.names, { parent, name, seen: 0 }] });
}
