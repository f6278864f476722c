/** What `feedfs receive` writes into: another feedfs, or a directory of any filesystem. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { bootId } from '../bridges/receive/confirm.js';
import { DeferredTarget } from '../bridges/receive/deferred-target.js';
import type { IdMap } from '../bridges/receive/directory/id-map.js';
import { readReplicaState, replicaFile } from '../bridges/receive/feedfs/replica-file.js';
import { mountOfFeed, mountsHere } from '../bridges/receive/origin-feed.js';
import { StreamRefused } from '../bridges/receive/refusal.js';
import type { Target } from '../bridges/receive/target.js';
import type { StreamHeader } from '../bridges/stream/frame.js';
import { CliError, usageError } from './cli-error.js';
import { ExitCode } from './exit-codes.js';

export interface ReceiveOptions {
  /** As the user named it, absolute and without symbolic links. */
  readonly target: string;
  readonly state: string | undefined;
  readonly jobs: number | undefined;
  readonly mapUid: IdMap;
  readonly mapGid: IdMap;
  /** Nothing is done: each step is a line given to it. */
  readonly print: ((line: string) => void) | undefined;
  readonly notice: (message: string) => void;
}

export interface OpenedTarget {
  readonly kind: 'directory' | 'feedfs';
  readonly target: Target;
  /** Before anything of a stream is applied whose header fits the target. Throws StreamRefused. */
  begin(header: StreamHeader): Promise<void>;
  /** Where contents go that do not fit in memory; undefined: wherever temporary files go. */
  readonly spoolDirectory: string | undefined;
}

/** What a new filesystem has in its root by itself. */
const ALWAYS_THERE = new Set(['lost+found']);

/** Throws CliError or StreamRefused before anything is changed. */
export async function openTarget(options: ReceiveOptions): Promise<OpenedTarget> {
  const { target } = options;
  checkDirectory(target);
  // Looked for by name: only the root of a feedfs has it, and does not list it.
  return fs.existsSync(replicaFile(target)) ? openFeedfs(options) : openDirectory(options);
}

function checkDirectory(target: string): void {
  const stat = fs.statSync(target, { throwIfNoEntry: false });
  if (stat === undefined) throw usageError(`${target} is missing: make the directory first`);
  if (!stat.isDirectory()) throw usageError(`${target} is not a directory`);
}

async function openFeedfs(options: ReceiveOptions): Promise<OpenedTarget> {
  const { target: mount, state, mapUid, mapGid, print, notice } = options;
  const given = [
    [state !== undefined, '--state'],
    [mapUid.size > 0, '--map-uid'],
    [mapGid.size > 0, '--map-gid'],
    [print !== undefined, '--dry-run'],
  ] as const;
  for (const [isGiven, option] of given) {
    if (isGiven) throw usageError(`${option} is for directories, and ${mount} is a feedfs`);
  }
  const { FeedfsTarget } = await import('../bridges/receive/feedfs/feedfs-target.js');
  const target = new FeedfsTarget({ mount, notice });
  const begin = async (header: StreamHeader): Promise<void> => checkNotSource(mount, header);
  return { kind: 'feedfs', target, begin, spoolDirectory: undefined };
}

async function openDirectory(options: ReceiveOptions): Promise<OpenedTarget> {
  const { target: directory, print } = options;
  const stateDirectory = options.state ?? besides(directory);
  if (isWithin(stateDirectory, directory)) {
    throw usageError(`the state directory ${stateDirectory} is inside the target`);
  }
  const opened = {
    kind: 'directory',
    spoolDirectory: print === undefined ? stateDirectory : undefined,
  } as const;
  const checked = async (header: StreamHeader): Promise<void> => checkNotSource(directory, header);
  if (fs.existsSync(stateDirectory)) {
    const target = await openStated(options, stateDirectory);
    return { ...opened, target, begin: checked };
  }
  checkEmpty(directory, stateDirectory);
  const target = new DeferredTarget(() => openStated(options, stateDirectory));
  const begin = async (header: StreamHeader): Promise<void> => {
    await checked(header);
    await target.open();
  };
  return { ...opened, target, begin };
}

async function openStated(options: ReceiveOptions, stateDirectory: string): Promise<Target> {
  const { target: directory, jobs, mapUid, mapGid, print, notice } = options;
  const { openDirectoryTarget } = await import('../bridges/receive/directory/directory-target.js');
  const { openHands } = await import('../bridges/receive/directory/hands.js');
  const target = await openDirectoryTarget({
    target: directory,
    stateDirectory,
    hands: () => openHands({ target: directory, stateDirectory, jobs, mapUid, mapGid, print }),
    dryRun: print !== undefined,
    notice,
  });
  try {
    if (target.progress === undefined) checkEmpty(directory, stateDirectory);
    return target;
  } catch (error) {
    await target.close();
    throw error;
  }
}

/** `/copies/.home.feedfs` of `/copies/home`. */
function besides(directory: string): string {
  const name = path.basename(directory);
  if (name === '') throw usageError('the root directory has nothing beside it: give --state DIR');
  return path.join(path.dirname(directory), `.${name}.feedfs`);
}

function isWithin(file: string, directory: string): boolean {
  const relative = path.relative(directory, file);
  return relative === '' || !(relative === '..' || relative.startsWith('../'));
}

/** What a baseline does not name would go: nothing that is not a copy may be taken for one. */
function checkEmpty(directory: string, stateDirectory: string): void {
  const found = fs.readdirSync(directory).find((name) => !ALWAYS_THERE.has(name));
  if (found === undefined) return;
  throw new CliError(
    ExitCode.FAILURE,
    `${directory} is not empty (${found}), and ${stateDirectory} does not know it as a copy: give an empty directory, or the state directory of the copy (--state DIR)`,
  );
}

/** StreamRefused if the target lies in the filesystem that the stream is of. */
function checkNotSource(target: string, { filesystem, origin }: StreamHeader): void {
  const { root, dev } = rootOf(target);
  let isSource = readReplicaState(root)?.filesystem === filesystem;
  if (!isSource && origin.bootId === bootId()) {
    isSource = mountOfFeed(origin.directory, mountsHere())?.device === dev;
  }
  if (!isSource) return;
  throw new StreamRefused(`${target} is in the filesystem that the stream is of`, {
    wayOut: 'receive it elsewhere: a copy inside its source would be copied again and again',
  });
}

/** The topmost directory of the filesystem that `directory` is on. */
function rootOf(directory: string): { readonly root: string; readonly dev: number } {
  const { dev } = fs.statSync(directory);
  let root = directory;
  for (let up = path.dirname(root); up !== root && fs.statSync(up).dev === dev; ) {
    root = up;
    up = path.dirname(root);
  }
  return { root, dev };
}
