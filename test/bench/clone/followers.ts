/** What runs on and follows a source: a sender and a receiver of feedfs, and lsyncd. */
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { startPair } from '../../clone/cloning.js';
import type { Cleanup } from '../cleanup.js';
import { LONG_COMMAND_MS_MAX, TERM_WAIT_MS_MAX } from '../limits.js';
import { cpuNsOf } from '../machine.js';
import { isGone, waitUntil } from '../shell.js';
import { clockMs, type Sender } from './copies.js';

const NS_PER_S = 1e9;
/** lsyncd gathers events for so long; 15 s unless it is told. */
export const LSYNCD_DELAY_S = 1;

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (!isGone(child)) child.kill(signal);
  if (await waitUntil(() => isGone(child), TERM_WAIT_MS_MAX)) return;
  child.kill('SIGKILL');
  await waitUntil(() => isGone(child), TERM_WAIT_MS_MAX);
}

export class Follower {
  readonly stop: () => Promise<void>;
  readonly #sender: Sender;
  readonly #receiver: number;
  readonly #failed: () => string | undefined;

  /** `feedfs send FEED --from last | feedfs receive TARGET`. */
  constructor(cleanup: Cleanup, sender: Sender, target: string) {
    const pair = startPair({ ...sender, args: ['--from', 'last'] }, { target });
    const children = [pair.send.child, pair.receive.child];
    this.stop = cleanup.defer('a pair that follows', async () => {
      for (const child of children) await end(child, 'SIGTERM');
    });
    this.#sender = sender;
    this.#receiver = pair.receive.child.pid ?? 0;
    this.#failed = () =>
      children.some(isGone) ? `${pair.send.stderr}${pair.receive.stderr}` : undefined;
  }

  /** Resolves once the copy has something and all is confirmed; when that was, on the clock of clockMs. */
  async confirmed(hasIt: () => boolean): Promise<number> {
    const info = join(this.#sender.mnt, '.lustre/feeds', this.#sender.feed, 'info');
    const owed = () =>
      (JSON.parse(fs.readFileSync(info, 'utf8')) as { owedRecords: string }).owedRecords;
    const start = clockMs();
    while (!hasIt() || owed() !== '0') {
      const failed = this.#failed();
      if (failed !== undefined) throw new Error(`the pair ended: ${failed}`);
      if (clockMs() - start > LONG_COMMAND_MS_MAX) throw new Error('the pair confirms nothing');
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return clockMs();
  }

  /** CPU seconds that the receiver has used. */
  receiverSeconds(): number {
    return cpuNsOf(this.#receiver) / NS_PER_S;
  }
}

export interface Lsyncd {
  /** Seconds from its start until it had compared all. */
  readonly startSeconds: number;
  stop(): Promise<void>;
}

/** Starts lsyncd on two directories and waits until its first comparison is done. */
export async function startLsyncd(
  cleanup: Cleanup,
  source: string,
  target: string,
): Promise<Lsyncd> {
  const configuration = `${target}.lua`;
  fs.writeFileSync(
    configuration,
    `sync { default.rsync, source = "${source}", target = "${target}",
  delay = ${LSYNCD_DELAY_S}, rsync = { archive = true } }\n`,
  );
  const start = clockMs();
  const child = spawn('lsyncd', ['-nodaemon', configuration], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const stop = cleanup.defer('lsyncd', () => end(child, 'SIGTERM'));
  const isReady = () => /Startup of .* finished/.test(said);
  await waitUntil(() => isReady() || isGone(child), LONG_COMMAND_MS_MAX);
  if (!isReady()) throw new Error(`lsyncd did not start: ${said.trim().split('\n').at(-1)}`);
  return { startSeconds: (clockMs() - start) / 1_000, stop };
}
