/** A directory for hands to change, on the disk or a tmpfs, and steps in short. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fid } from '../../../../src/base/fid.js';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../../../../src/base/mode.js';
import {
  type HandsAndShortfalls,
  type HandsOptions,
  openHands,
} from '../../../../src/bridges/receive/directory/hands.js';
import type { Step, StepPlace } from '../../../../src/bridges/receive/directory/steps.js';
import { isMounted } from '../../../support/mounts.js';

export const isRoot = process.geteuid?.() === 0;
export type Disk = 'disk' | 'tmpfs';
export const DISKS: readonly Disk[] = isRoot ? ['disk', 'tmpfs'] : ['disk'];

export interface Bench {
  readonly hands: HandsAndShortfalls;
  readonly target: string;
  readonly state: string;
  /** Beside the target, on the same filesystem: nothing may happen here. */
  readonly outside: string;
  /** Closes the hands and opens others, as a receiver that is run again. */
  reopen(options?: Partial<HandsOptions>): Promise<HandsAndShortfalls>;
}

export interface BenchOptions extends Partial<HandsOptions> {
  readonly disk?: Disk;
  /** The state directory is on another filesystem than the target. Needs root. */
  readonly stateElsewhere?: boolean;
}

/** Everything is gone afterwards, also when the process ends. */
export async function withHands(
  options: BenchOptions,
  use: (bench: Bench) => Promise<void>,
): Promise<void> {
  const folder = fs.mkdtempSync(join(tmpdir(), 'feedfs-hands-'));
  const base = join(folder, 'base');
  fs.mkdirSync(base);
  const { disk = 'disk', stateElsewhere = false, ...given } = options;
  const release = (): void => {
    if (isMounted(base)) spawnSync('umount', ['-l', base], { stdio: 'ignore' });
    fs.rmSync(folder, { recursive: true, force: true });
  };
  process.on('exit', release);
  let hands: HandsAndShortfalls | undefined;
  try {
    if (disk === 'tmpfs' || stateElsewhere) mountTmpfs(base);
    const target = join(base, 'target');
    const outside = join(base, 'outside');
    const state = join(stateElsewhere ? folder : base, 'state');
    for (const each of [target, outside, state]) fs.mkdirSync(each);
    const open = (more: Partial<HandsOptions> = {}): HandsAndShortfalls =>
      openHands({ target, stateDirectory: state, jobs: 1, ...given, ...more });
    hands = open();
    const bench = {
      target,
      outside,
      state,
      get hands(): HandsAndShortfalls {
        if (hands === undefined) throw new Error('closed');
        return hands;
      },
      reopen: async (more: Partial<HandsOptions> = {}): Promise<HandsAndShortfalls> => {
        await hands?.close();
        hands = open(more);
        return hands;
      },
    };
    await use(bench);
  } finally {
    await hands?.close();
    process.off('exit', release);
    release();
  }
}

function mountTmpfs(folder: string): void {
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', folder]);
  if (status !== 0) throw new Error('mounting a tmpfs failed');
}

/** The bytes of a path of which `name` is a binary string. */
export function below(folder: string, name: string): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, 'latin1')]);
}

/** The place with that path below the target; '' is the root. */
export function at(path: string): StepPlace {
  if (path === '') return { parent: 0, name: '', directory: '' };
  const slash = path.lastIndexOf('/');
  const directory = slash < 0 ? '' : path.slice(0, slash);
  return { parent: 7 as Fid, name: path.slice(slash + 1), directory };
}

/** In the limbo. */
export function aside(name: string): StepPlace {
  return { parent: 7 as Fid, name, directory: undefined };
}

export type MakeStep = Extract<Step, { do: 'make' }>;
type Rest = Partial<Omit<MakeStep, 'do' | 'at' | 'type' | 'contents'>>;

let fids = 200_000;
function anyFid(): Fid {
  fids++;
  return fids as Fid;
}

export function make(path: string, type: number, rest: Partial<MakeStep> = {}): MakeStep {
  return {
    do: 'make',
    fid: anyFid(),
    at: at(path),
    type,
    attributes: {},
    xattrs: [],
    rdev: 0,
    target: '',
    size: 0,
    contents: undefined,
    replace: false,
    ...rest,
  };
}

export function makeFile(path: string, text = '', rest: Rest = {}): MakeStep {
  const contents = Buffer.from(text);
  return make(path, S_IFREG, {
    attributes: { mode: 0o644 },
    size: contents.length,
    contents,
    ...rest,
  });
}

export function makeDirectory(path: string, rest: Rest = {}): MakeStep {
  return make(path, S_IFDIR, { attributes: { mode: 0o755 }, ...rest });
}

export function makeSymlink(path: string, target: string, rest: Rest = {}): MakeStep {
  return make(path, S_IFLNK, { target, ...rest });
}

/** `over`: what is to go there; `fid`: what is moved. */
export function rename(
  from: string | StepPlace,
  to: string | StepPlace,
  { type = S_IFREG, over = undefined as Fid | undefined, fid = anyFid() } = {},
): Step {
  const place = (given: string | StepPlace): StepPlace =>
    typeof given === 'string' ? at(given) : given;
  return { do: 'rename', fid, type, from: place(from), to: place(to), over };
}

export function link(from: string, to: string): Step {
  return { do: 'link', fid: anyFid(), from: at(from), to: at(to) };
}

export function remove(path: string, type = S_IFREG): Step {
  return { do: 'remove', fid: anyFid(), type, at: at(path) };
}

export function contents(
  path: string,
  rest: Partial<Extract<Step, { do: 'contents' }>> = {},
): Step {
  return {
    do: 'contents',
    fid: anyFid(),
    at: at(path),
    cut: undefined,
    parts: [],
    size: undefined,
    ...rest,
  };
}

export function data(
  offset: number,
  text: string | Uint8Array,
): { kind: 'data'; fid: Fid; offset: number; bytes: Uint8Array } {
  return { kind: 'data', fid: 7 as Fid, offset, bytes: Buffer.from(text) };
}

export function hole(
  offset: number,
  length: number,
): { kind: 'hole'; fid: Fid; offset: number; length: number } {
  return { kind: 'hole', fid: 7 as Fid, offset, length };
}

export function attributes(
  path: string,
  rest: Partial<Extract<Step, { do: 'attributes' }>> = {},
): Step {
  return {
    do: 'attributes',
    fid: anyFid(),
    at: at(path),
    type: S_IFREG,
    attributes: {},
    xattrs: [],
    exactXattrs: false,
    ...rest,
  };
}

/** The error that a promise is rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error('it succeeded');
}
