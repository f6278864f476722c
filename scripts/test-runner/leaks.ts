/** What a test file left behind: mounts, processes, files. Names each and removes it. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { detach, mountsUnder } from '../../test/support/mounts.js';
import {
  commandLine,
  processesWithEnvironment,
  signalPid,
  until,
} from '../../test/support/processes.js';

/** The environment variable by which every process of a test file is recognised. */
export const RUN_VARIABLE = 'FEEDFS_TEST_RUN';
/** How long a process may take to end after the test that used it, in milliseconds. */
const GRACE_MS = 3_000;

/**
 * Looks for leftovers of the test file that ran with `folder` as its temporary
 * directory and as the value of RUN_VARIABLE. Returns one line per leftover;
 * nothing of them, nor the folder itself, is there afterwards.
 */
export async function collectLeaks(folder: string): Promise<string[]> {
  const leaks: string[] = [];
  const running = () => processesWithEnvironment(RUN_VARIABLE, folder);
  await until(() => running().length === 0, 'end of processes', GRACE_MS).catch(() => {});
  for (const pid of running()) {
    leaks.push(`left a process behind: ${pid} ${commandLine(pid)}`);
    signalPid(pid, 'SIGKILL');
  }
  for (const { mountpoint, type } of mountsUnder(folder)) {
    leaks.push(`left a mount behind: ${type} on ${mountpoint}`);
    detach(mountpoint);
  }
  for (const name of readdirSync(folder)) {
    leaks.push(`left a file behind: ${join(folder, name)}`);
  }
  rmSync(folder, { recursive: true, force: true });
  return leaks;
}
