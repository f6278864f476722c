/**
 * A mount for one unmodified program: a feed is made before the program starts,
 * and afterwards the feed must describe what the program has made, a copy that is
 * brought up to date from it must be identical, and the store must be sound.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { ProgramClone } from '../clone/program-clone.js';
import { ReplayMount } from '../mount/replay-mount.js';
import { feedfs, type TestMount, withMount } from '../support/mount.js';
import { type RunOptions, runOk } from '../support/processes.js';

/** How long a program may take, in milliseconds; a machine under load gets some of it as grace. */
const PROGRAM_MS = 120_000;

export interface ProgramMount {
  readonly mount: TestMount;
  /** The mountpoint. */
  readonly mnt: string;
  /** A folder beside the mount, for what the programs compare with. */
  readonly aside: string;
  /** Runs a program that must succeed, by default in the mountpoint; its standard output. */
  sh(command: string, args: readonly string[], options?: RunOptions): Promise<string>;
}

/**
 * Mounts an empty store with a feed, runs `use`, and checks that the feed applied
 * to an empty directory gives the same tree, that a copy follows, and that fsck finds
 * nothing. `target` is that directory, where the temporary one could not hold what the program makes.
 */
export function withProgram(
  use: (program: ProgramMount) => Promise<void>,
  target?: string,
): Promise<void> {
  return withMount(async (mount) => {
    const aside = join(mount.folder, 'aside');
    fs.mkdirSync(aside);
    const replay = new ReplayMount(mount, target);
    replay.begin();
    const copy = new ProgramClone(mount, target ?? aside);
    await copy.begin();
    const sh = (command: string, args: readonly string[], options: RunOptions = {}) =>
      runOk(command, args, { cwd: mount.mnt, timeoutMs: PROGRAM_MS, ...options });
    await use({ mount, mnt: mount.mnt, aside, sh });
    replay.quiesce();
    // Reading is not recorded, and programs read.
    replay.check({ atime: false });
    await copy.check();
    await mount.unmount();
    await checkStore(mount.store);
  });
}

async function checkStore(store: string): Promise<void> {
  const { code, stdout, stderr } = await feedfs(['fsck', store], { timeoutMs: PROGRAM_MS });
  assert.is(code, 0, `fsck: ${stdout}${stderr}`);
}

/** Runs a script that must succeed, with `set -eu`; its standard output. */
export function script(program: ProgramMount, text: string, options?: RunOptions): Promise<string> {
  return program.sh('sh', ['-euc', text], options);
}
