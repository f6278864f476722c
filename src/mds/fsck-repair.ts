/**
 * Mends a store that no daemon has open: check, mend one phase in one transaction,
 * check again, until a check asks for nothing more. Killed anywhere, the next run
 * goes on from what it finds.
 *
 * LMDB is let near the store only when all its pages were found whole: of damaged ones
 * what can be read is copied into a new environment first (store/salvage.ts).
 */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { FsError } from '../base/errno.js';
import type { Clock } from '../base/time.js';
import { FlushMarker } from '../store/flush-marker.js';
import { isUnfinished, removeUnfinished, type SalvagePoint, salvage } from '../store/salvage.js';
import { Store } from '../store/store.js';
import { pathsOf } from '../store/store-directory.js';
import { Findings, type FsckFinding, type FsckReport } from './fsck/findings.js';
import { REPAIR_ROUNDS_MAX, SAME_MENDS_MAX } from './fsck/limits.js';
import { DONE, type Mend, type Phase } from './fsck/mend.js';
import { MendQueue, type QueuedMend } from './fsck/mend-queue.js';
import { Buckets } from './fsck/repair-buckets.js';
import { mendCounter } from './fsck/repair-counters.js';
import { RepairFolder } from './fsck/repair-folder.js';
import { fixInode, putRow, removeRow } from './fsck/repair-rows.js';
import { TreeMender } from './fsck/repair-tree.js';
import { inspectStore } from './fsck.js';
import { Namespace } from './namespace.js';
import { markRepaired } from './repair-mark.js';

export interface RepairReport {
  /** What was mended: what was found, and what was done. */
  readonly mended: readonly FsckFinding[];
  /** The last check: its findings are what could not be mended. */
  readonly left: FsckReport;
  /** The folder with what was taken out, if anything was. */
  readonly kept: string | undefined;
}

/** Where a test may end a repair, as a kill would. */
export type RepairPoint =
  | SalvagePoint
  | 'before-commit'
  | 'after-commit'
  | 'after-flush'
  | 'between-files';

export interface RepairOptions {
  readonly clock: Clock;
  readonly reached?: (point: RepairPoint) => void;
}

/** Mends what can be mended. Throws StoreError as fsckStore does. */
export async function repairStore(path: string, options: RepairOptions): Promise<RepairReport> {
  const queue = new MendQueue();
  const first = new Findings(queue);
  inspectStore(path, first, false);
  const report = first.report();
  const clean = report.findings.length === 0 && !isUnfinished(path);
  if (clean || first.blocked) {
    return { mended: [], left: report, kept: undefined };
  }
  const kept = new RepairFolder(path, options.clock.now());
  const salvaged = queue.of('salvage');
  if (salvaged.length > 0) {
    const { reached = () => {} } = options;
    await salvage(path, { keep: (data) => kept.file(data), mark: markRepaired, reached });
  }
  const opening = queue.of('open');
  for (const { mend } of opening) if (mend.do === 'marker') makeMarker(path);
  const store = Store.open(path, { create: false });
  try {
    removeUnfinished(path);
    const repair = new Repair(store, [...salvaged, ...opening], kept, options);
    const left = await repair.run();
    return { mended: withSettled(repair.mended, report, left), left, kept: kept.path };
  } finally {
    await store.close();
  }
}

/** What was mended, and what was found at first and is not there any more, for it hung on another. */
function withSettled(
  mended: readonly FsckFinding[],
  { findings }: FsckReport,
  left: FsckReport,
): readonly FsckFinding[] {
  const idOf = ({ kind, where }: FsckFinding): string => `${kind} ${where}`;
  const told = new Set([...mended, ...left.findings].map(idOf));
  const settled = findings
    .filter((finding) => !told.has(idOf(finding)))
    .map((finding) => ({ ...finding, message: `${finding.message}; settled with the others` }));
  return [...mended, ...settled];
}

/** One that was made before, by a repair that was killed, is fine. */
function makeMarker(path: string): void {
  const { marker } = pathsOf(path);
  if (!existsSync(marker)) FlushMarker.create(marker, 'unknown');
}

/** What is done to names, as the mutations do it. */
const TREE_PHASES: ReadonlySet<Phase> = new Set(['root', 'entries', 'parents', 'names']);

/** What these mend no consumer of a feed could have seen. */
const UNSEEN_PHASES: ReadonlySet<Phase> = new Set(['counters', 'log end']);

class Repair {
  readonly #store: Store;
  readonly #options: RepairOptions;
  readonly #kept: RepairFolder;
  readonly #mended = new Findings();
  /** How often a phase was asked for the same: one that goes on asking gets nowhere. */
  readonly #asked = new Map<string, number>();
  /** The store is open: what is found in its pages now, the next run salvages. */
  readonly #givenUp = new Set<Phase>(['salvage']);

  /** `opened`: what was mended by opening the store. */
  constructor(
    store: Store,
    opened: readonly QueuedMend[],
    kept: RepairFolder,
    options: RepairOptions,
  ) {
    this.#store = store;
    this.#options = options;
    this.#kept = kept;
    this.#note(opened.filter(({ mend }) => mend.do !== 'folder'));
  }

  get mended(): readonly FsckFinding[] {
    return this.#mended.report().findings;
  }

  /** The last check. */
  async run(): Promise<FsckReport> {
    for (let round = 0; ; round++) {
      const queue = new MendQueue();
      const findings = new Findings(queue);
      inspectStore(this.#store.path, findings, true);
      const phase = round < REPAIR_ROUNDS_MAX ? queue.first(this.#givenUp) : undefined;
      if (phase === undefined) return findings.report();
      await this.#phase(phase, queue.of(phase));
    }
  }

  async #phase(phase: Phase, mends: readonly QueuedMend[]): Promise<void> {
    const sum = crc32(mends.map(({ finding }) => `${finding.where} ${finding.message}\n`).join(''));
    const request = `${phase} ${sum}`;
    const times = (this.#asked.get(request) ?? 0) + 1;
    this.#asked.set(request, times);
    if (times > SAME_MENDS_MAX) {
      this.#givenUp.add(phase);
      return;
    }
    let done: readonly QueuedMend[] = [];
    if (phase === 'open' || phase === 'files') done = this.#mendFiles(mends);
    else {
      this.#store.commit(() => {
        done = this.#mendRows(phase, mends);
        if (!UNSEEN_PHASES.has(phase)) markRepaired(this.#store.tables.meta);
        this.#kept.flush();
        this.#options.reached?.('before-commit');
      });
      this.#options.reached?.('after-commit');
      await this.#flush();
      this.#options.reached?.('after-flush');
    }
    this.#note(done);
  }

  #note(done: readonly QueuedMend[]): void {
    let last: FsckFinding | undefined;
    for (const { finding, mend } of done) {
      const { kind, where, message } = finding;
      if (finding !== last) this.#mended.add(kind, where, `${message}; ${DONE[mend.do]}`);
      last = finding;
    }
  }

  #flush(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#store.flush((error) => (error === null ? resolve() : reject(error)));
    });
  }

  #mendFiles(mends: readonly QueuedMend[]): readonly QueuedMend[] {
    for (const { mend } of mends) {
      if (mend.do === 'folder') mkdirSync(join(this.#store.path, mend.name), { mode: 0o700 });
      if (mend.do === 'file') this.#kept.object(mend.folder, mend.name);
      this.#options.reached?.('between-files');
    }
    return mends;
  }

  /** Inside a write transaction. Those that could be done. */
  #mendRows(phase: Phase, mends: readonly QueuedMend[]): readonly QueuedMend[] {
    const { tables, identity } = this.#store;
    const buckets = new Buckets(tables, this.#kept);
    if (!TREE_PHASES.has(phase))
      return mends.filter(({ finding, mend }) => this.#tried(() => this.#row(mend, finding)));
    for (const { finding, mend } of mends) {
      if (mend.do === 'bucket') buckets.empty(mend.directory, mend.slot, finding);
    }
    // Nothing of an object is destroyed by a repair.
    const reaper = { remove: () => {}, truncate: () => {}, flushed: () => {} };
    const namespace = new Namespace(tables, identity.fsid, reaper);
    buckets.fill(namespace);
    const tree = new TreeMender(namespace, this.#options.clock, ownerOf(this.#store.path));
    const done = mends.filter(({ mend }) => this.#tried(() => treeMend(tree, mend)));
    namespace.collect();
    return done;
  }

  #row(mend: Mend, finding: FsckFinding): void {
    const { tables } = this.#store;
    if (mend.do === 'counter') mendCounter(tables, mend.name);
    else if (mend.do === 'log end') mendCounter(tables, 'log.end');
    else if (mend.do === 'remove') removeRow(tables, mend, finding, this.#kept);
    else if (mend.do === 'put') putRow(tables, mend, finding, this.#kept);
    else if (mend.do === 'inode') fixInode(tables, mend.fid, mend.set);
  }

  /** False if it met something that cannot be read. */
  #tried(mend: () => void): boolean {
    try {
      mend();
      return true;
    } catch (error) {
      if (error instanceof FsError) return false;
      throw error;
    }
  }
}

function treeMend(tree: TreeMender, mend: Mend): void {
  if (mend.do === 'root') tree.root();
  else if (mend.do === 'adopt') tree.adopt(mend.fid);
  else if (mend.do === 'parent') tree.parent(mend.fid, mend.directory);
}

function ownerOf(path: string): { uid: number; gid: number } {
  const { uid, gid } = statSync(path);
  return { uid, gid };
}
