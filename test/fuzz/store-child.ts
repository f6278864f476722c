/**
 * Damages a store and does all with it that can be done; in a process of its own, as a
 * damaged page can end the process that maps it.
 *
 *     node store-child.js STORE WORK-FOLDER
 *
 * Each line of standard input is a program of damage in hex, applied to a copy of STORE. The answer
 * is a line: `ok`, or what is not as it should be.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { FsError } from '../../src/base/errno.js';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { type FsckFinding, fsckStore } from '../../src/mds/fsck.js';
import { repairStore } from '../../src/mds/fsck-repair.js';
import type { FeedChunk, FeedView } from '../../src/rpc/messages.js';
import { StoreError } from '../../src/store/errors.js';
import { pathsOf } from '../../src/store/store-directory.js';
import { Bench } from '../support/damage.js';
import { FakeClock } from '../support/fake-clock.js';
import { applyDamage } from './damage-program.js';

const READ_BYTES = 64 * 1_024;
const READS_MAX = 2_000;
const ENTRIES_MAX = 10_000;
/** More than ever is needed for a store of a few hundred kilobytes. */
const MEMORY_BYTES_MAX = 700 * 2 ** 20;
const VIEWS: readonly FeedView[] = ['stream', 'ndjson'];
const DAMAGE = [FsError, StoreError, SyntaxError, RangeError, TypeError];
/** LMDB is not to be let near these. */
const UNSAFE = new Set(['damaged-page', 'damaged-file', 'missing-file']);

const [store = '', work = ''] = process.argv.slice(2);

async function attempt(program: Buffer): Promise<void> {
  const path = join(work, 'damaged');
  fs.rmSync(path, { recursive: true, force: true });
  fs.cpSync(store, path, { recursive: true });
  await applyDamage(path, program);
  const { findings } = fsckStore(path);
  const before = isUnsafe(findings) ? fs.readFileSync(pathsOf(path).data) : undefined;
  if (before === undefined) await use(path);
  const left = await repair(path);
  if (left === undefined || isUnsafe(left)) {
    if (before?.equals(fs.readFileSync(pathsOf(path).data)) === false) {
      throw new Error('a repair that could not salvage a store changed it');
    }
    return;
  }
  await use(path);
  const rss = process.memoryUsage.rss();
  if (rss > MEMORY_BYTES_MAX) throw new Error(`it took ${rss} bytes of memory`);
}

function isUnsafe(findings: readonly FsckFinding[]): boolean {
  return findings.some(({ kind }) => UNSAFE.has(kind));
}

/** What is left; undefined if the store cannot be repaired at all. */
async function repair(path: string): Promise<readonly FsckFinding[] | undefined> {
  const clock = new FakeClock();
  let first: Awaited<ReturnType<typeof repairStore>>;
  try {
    first = await repairStore(path, { clock });
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
  const again = await repairStore(path, { clock });
  const left = JSON.stringify(first.left.findings);
  if (again.mended.length > 0) {
    throw new Error(`a second repair mended ${JSON.stringify(again.mended.slice(0, 5))}`);
  }
  if (JSON.stringify(again.left.findings) !== left) throw new Error('a second repair found other');
  return first.left.findings;
}

/** A mount, without the kernel: it is refused, or all is read that can be. */
async function use(path: string): Promise<void> {
  let bench: Bench;
  try {
    bench = new Bench(path);
  } catch (error) {
    // Of these a mount says that the store is damaged (cli/wire-up.ts).
    if (DAMAGE.some((kind) => error instanceof kind)) return;
    throw error;
  }
  visit(bench, ROOT_FID, new Set());
  for (const { id } of bench.server.feeds.list()) {
    for (const view of VIEWS) await drain(bench, id, view);
  }
  tried(() => bench.file('goes on'));
  await bench.close().catch((error: unknown) => {
    if (!(error instanceof FsError)) throw error;
  });
}

function visit(bench: Bench, directory: Fid, seen: Set<number>): void {
  if (seen.has(directory) || seen.size > ENTRIES_MAX) return;
  seen.add(directory);
  const { namespace } = bench.server;
  tried(() => {
    for (const { name, fid } of namespace.dirents.list(directory, 0, ENTRIES_MAX)) {
      tried(() => namespace.dirents.lookup(directory, name));
      tried(() => namespace.inode(fid as Fid));
      tried(() =>
        namespace.xattrs.names(fid as Fid).map((x) => namespace.xattrs.get(fid as Fid, x)),
      );
      tried(() => namespace.inline.get(fid as Fid));
      visit(bench, fid as Fid, seen);
    }
  });
}

function tried(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
  }
}

/** Reads all that a feed owes; what is damaged is EIO, and then it goes on. */
async function drain(bench: Bench, id: number, view: FeedView): Promise<void> {
  const into = Buffer.alloc(READ_BYTES);
  let cursor = 0;
  for (let reads = 0; ; reads++) {
    if (reads > READS_MAX) throw new Error(`feed ${id} cannot be read to its end`);
    const chunk = (await bench
      .call('feedNext', { id, view, epoch: 0, cursor, into })
      .catch(() => undefined)) as FeedChunk | undefined;
    if (chunk === undefined || chunk.cursor === undefined) return;
    if (chunk.length === 0 && !chunk.damaged) return;
    if (chunk.cursor <= cursor) throw new Error(`feed ${id} stands still at ${cursor}`);
    cursor = chunk.cursor;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer = 'ok';
  try {
    await attempt(Buffer.from(line, 'hex'));
  } catch (error) {
    answer = JSON.stringify(
      error instanceof Error ? (error.stack ?? error.message) : String(error),
    );
  }
  process.stdout.write(`${answer}\n`);
}
