/**
 * A directory of any filesystem as the target of a stream. Each batch comes to its net effect,
 * is planned, done, brought to disk, and only then entered in the books. Before its first step
 * the books say durably that it was begun: whoever is killed then finds the same batch again,
 * and finishes it from whatever was done.
 */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must } from '../../../base/assert.js';
import { isDirectory } from '../../../base/mode.js';
import type { Timespec } from '../../../base/time.js';
import type { BaselineEnd, BaselineHead, BaselineName, LogPlace } from '../../../rpc/baseline.js';
import type { Contents } from '../../stream/frame.js';
import { describePlace, isSamePlace } from '../place.js';
import { StreamRefused } from '../refusal.js';
import type { Batch, CopyProgress, Target, WholeObject } from '../target.js';
import { netEffect } from './delta.js';
import { isGoing, isInBooksOnly, isNew, type NetEffect } from './net-object.js';
import { type Leftover, plan } from './plan.js';
import { changed, checkUntouched } from './plan-check.js';
import { locate } from './plan-locate.js';
import { type KeptRights, readKept, withKept } from './plan-rights.js';
import { Reconciler } from './reconcile.js';
import { runPhase } from './reconcile-steps.js';
import { State } from './state.js';
import { lockDirectory } from './state-lock.js';
import type { JournalEntry } from './state-meta.js';
import { type CopyTree, namesWithout, ROOT_PLACE, shownPath } from './state-tree.js';
import type { Hands } from './steps.js';

/** What does the steps, and what it could not do as the source has it. */
export type CountingHands = Hands & Pick<Target, 'shortfalls'>;

export interface DirectoryTargetOptions {
  /** For messages. */
  readonly target: string;
  /** Made (0700) if it is not there, and locked. */
  readonly stateDirectory: string;
  /** Called once, when the state directory is there and nobody else has it, with what it says. */
  readonly hands: (books: CopyTree) => CountingHands;
  /** The state stays as it is: works on a copy of it, in a temporary directory. */
  readonly dryRun?: boolean | undefined;
  /** False: what is committed need not survive the machine; for a state that is thrown away. */
  readonly durable?: boolean | undefined;
  /** Something that a person should know and that stops nothing. */
  readonly notice?: ((message: string) => void) | undefined;
}

/**
 * StreamRefused: another receiver has the state directory, or it is of another target or of a
 * newer version.
 */
export async function openDirectoryTarget(options: DirectoryTargetOptions): Promise<Target> {
  const copied = options.dryRun === true ? copyState(options.stateDirectory) : undefined;
  const removeCopy = (): void => {
    if (copied !== undefined) fs.rmSync(copied, { recursive: true, force: true });
  };
  let state: State | undefined;
  try {
    const durable = copied === undefined && options.durable !== false;
    state = State.open(copied ?? options.stateDirectory, { durable });
    return new DirectoryTarget(options, state, options.hands(state), removeCopy);
  } catch (error) {
    await state?.close();
    removeCopy();
    throw error;
  }
}

/** StreamRefused: a receiver is at work. */
function copyState(stateDirectory: string): string {
  const data = join(stateDirectory, 'state', 'data.mdb');
  const lock = fs.existsSync(data) ? lockDirectory(stateDirectory) : undefined;
  try {
    const copy = fs.mkdtempSync(join(tmpdir(), 'feedfs-dry-run-'));
    if (lock !== undefined) copyData(data, copy);
    return copy;
  } finally {
    if (lock !== undefined) fs.closeSync(lock);
  }
}

function copyData(data: string, copy: string): void {
  try {
    fs.mkdirSync(join(copy, 'state'));
    fs.copyFileSync(data, join(copy, 'state', 'data.mdb'), fs.constants.COPYFILE_FICLONE);
  } catch (error) {
    fs.rmSync(copy, { recursive: true, force: true });
    throw error;
  }
}

class DirectoryTarget implements Target {
  readonly #state: State;
  readonly #hands: CountingHands;
  readonly #reconciler: Reconciler;
  readonly #closed: () => void;

  constructor(
    { target, notice }: DirectoryTargetOptions,
    state: State,
    hands: CountingHands,
    closed: () => void,
  ) {
    this.#state = state;
    this.#hands = hands;
    this.#closed = closed;
    this.#reconciler = new Reconciler(state, hands, notice ?? (() => {}));
    checkIsTarget(target, state, hands);
  }

  get progress(): CopyProgress | undefined {
    return this.#state.meta.copy;
  }

  get interrupted(): LogPlace | undefined {
    return this.#state.meta.interrupted;
  }

  get shortfalls(): Target['shortfalls'] {
    return this.#hands.shortfalls;
  }

  async beginBaseline(head: BaselineHead): Promise<void> {
    await this.#orForget(async () => this.#reconciler.begin(head));
  }

  async objects(batch: readonly WholeObject[]): Promise<void> {
    await this.#orForget(() => this.#reconciler.objects(batch));
  }

  async contents(part: Contents): Promise<void> {
    await this.#orForget(() => this.#reconciler.contents(part));
  }

  async names(batch: readonly BaselineName[]): Promise<void> {
    await this.#orForget(() => this.#reconciler.names(batch));
  }

  async endBaseline(end: BaselineEnd, place: LogPlace, time: Timespec): Promise<void> {
    await this.#orForget(() => this.#reconciler.end(end, place, time));
  }

  async apply(batch: Batch): Promise<void> {
    await this.#orForget(() => this.#apply(batch));
  }

  async flush(): Promise<LogPlace | undefined> {
    const { progress } = this;
    return progress?.baseline === 'complete' ? progress.place : undefined;
  }

  async close(): Promise<void> {
    try {
      await this.#hands.close();
    } finally {
      await this.#state.close();
      this.#closed();
    }
  }

  async #apply({ from, to, records, contents, time }: Batch): Promise<void> {
    const { copy, interrupted } = this.#state.meta;
    if (copy?.baseline !== 'complete' || copy.place.index !== from.index) {
      throw new StreamRefused(
        `records from ${describePlace(from)} are not what the copy needs next`,
      );
    }
    if (interrupted !== undefined && !isSamePlace(interrupted, to)) {
      const place = describePlace(interrupted);
      throw new StreamRefused(`a batch up to ${place} was begun, and has to be ended first`);
    }
    let net = netEffect(records, this.#state);
    let leftovers: readonly Leftover[] = [];
    if (interrupted !== undefined) {
      net = withKept(net, keptOf(this.#state.journal));
      leftovers = this.#findWhatWasDone(net);
    } else if (net.size > 0) {
      checkUntouched(net, this.#state, (at) => this.#hands.look(at));
      const kept = readKept(net, this.#state, (at) => this.#hands.kept(at));
      this.#state.commitMeta({ interrupted: to }, journalOf(net, kept));
      net = withKept(net, kept);
    }
    const options = { replace: interrupted !== undefined, leftovers };
    for (const phase of plan(net, this.#state, contents, options)) {
      await runPhase(this.#hands, this.#state, phase);
    }
    if (net.size > 0) await this.#hands.flush();
    this.#state.commit({ copy: { ...copy, place: to, time }, interrupted: undefined });
  }

  /** Makes the state say where everything is; returns names of files that are made anew. */
  #findWhatWasDone(net: NetEffect): readonly Leftover[] {
    const shown = new Map(
      [...net.values()].map(({ fid, known }) => [
        fid,
        known?.names[0] === undefined ? '' : shownPath(this.#state, known.names[0]),
      ]),
    );
    const found = locate([...net.values()], this.#state, (at) => this.#hands.look(at));
    const leftovers: Leftover[] = [];
    for (const object of net.values()) {
      const { fid, type, after } = object;
      const places = found.get(fid) ?? [];
      if (isNew(object)) {
        if (isDirectory(type)) continue;
        for (const { place, found } of places) {
          if (namesWithout([place], after.slice(0, 1)).length === 0) continue;
          leftovers.push({ fid, place, inode: found.inode });
        }
      } else if (places.length === 0 && !isGoing(object) && !isInBooksOnly(object)) {
        throw changed(must(shown.get(fid), 'the path of an object'), undefined, fid);
      }
    }
    return leftovers;
  }

  /** After an error the books say what they said before: what was done meanwhile is found again. */
  async #orForget(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#state.rollback();
      throw error;
    }
  }
}

/** StreamRefused. */
function checkIsTarget(target: string, { meta }: State, hands: Hands): void {
  const { root, targetFilesystem } = meta;
  if (root === 0) return;
  const { filesystem } = hands;
  if (targetFilesystem !== undefined && (filesystem ?? targetFilesystem) !== targetFilesystem) {
    throw new StreamRefused(
      `${target} is not where the copy was made: another filesystem seems to be mounted there`,
      { wayOut: 'mount that of the copy and receive again' },
    );
  }
  if (hands.look({ ...ROOT_PLACE, directory: '' })?.inode === root) return;
  throw new StreamRefused(`${target} is not the directory that the copy was made in`, {
    wayOut: 'receive into that one, or, with another state directory, into an empty one',
  });
}

/** All that gets, loses or changes a name, or has something that steps may take. */
function journalOf(net: NetEffect, rights: KeptRights): readonly JournalEntry[] {
  const entries: JournalEntry[] = [];
  for (const { fid, type, known, after } of net.values()) {
    const before = known?.names ?? [];
    const isSame = after.length === before.length && namesWithout(after, before).length === 0;
    const kept = rights.get(fid);
    if (kept !== undefined) entries.push({ fid, type, after, kept });
    else if (!isSame) entries.push({ fid, type, after });
  }
  return entries;
}

function keptOf(journal: readonly JournalEntry[]): KeptRights {
  return new Map(journal.flatMap(({ fid, kept }) => (kept === undefined ? [] : [[fid, kept]])));
}
