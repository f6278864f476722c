/** Mounts with `-o user_watch`, two users, and what they do there. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type TestMount, withMount } from '../support/mount.js';
import { type Finished, run } from '../support/processes.js';
import { type AgentUser, type WatchAgent, withAgent } from './watch-agent.js';

export const ALICE: AgentUser = { uid: 41_001, gid: 41_001, groups: [41_900] };
export const BOB: AgentUser = { uid: 41_002, gid: 41_002, groups: [] };
const { O_RDONLY } = fs.constants;

export function sync({ mnt }: TestMount): void {
  const fd = fs.openSync(mnt, O_RDONLY);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

export function makeHome({ mnt }: TestMount, { uid, gid }: AgentUser, mode = 0o700): string {
  const home = join(mnt, `home${uid}`);
  fs.mkdirSync(home);
  fs.chownSync(home, uid, gid);
  fs.chmodSync(home, mode);
  return home;
}

export function withUsers(
  use: (mount: TestMount, alice: WatchAgent, bob: WatchAgent) => Promise<void>,
): Promise<void> {
  return withMount(
    (mount) => withAgent(ALICE, (alice) => withAgent(BOB, (bob) => use(mount, alice, bob))),
    { options: 'user_watch' },
  );
}

/** A shell command as a user, for good. */
export function asUser(
  { uid, gid }: AgentUser,
  command: string,
  mount: TestMount,
): Promise<Finished> {
  const env = { MNT: mount.mnt, FOLDER: mount.folder, PATH: '/bin:/usr/bin' };
  return run('bash', ['-c', command], { cwd: '/', env, uid, gid });
}

/** A copy of cat(1) that runs as its owner, or with its group. */
export function makeCat({ folder }: TestMount, mode: number): string {
  const path = join(folder, `cat${mode.toString(8)}`);
  fs.copyFileSync('/bin/cat', path);
  fs.chownSync(path, 0, 0);
  fs.chmodSync(path, mode);
  return path;
}

/** Waits for a file that another process makes, or for that process’s end. */
export async function within(path: string, ended: Promise<unknown>): Promise<void> {
  const state = { over: false };
  void ended.then(() => {
    state.over = true;
  });
  while (!state.over && !fs.existsSync(path)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
