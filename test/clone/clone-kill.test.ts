// test-timeout: 300 s
/**
 * Sender and receiver are killed by SIGKILL again and again while the source changes: the
 * copy goes on from where it was, and in the end is what the source is.
 *
 * FEEDFS_KILLS sets how often, FEEDFS_SEED when.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { feedfs, type TestMount, withMount } from '../support/mount.js';
import { exitOf, until } from '../support/processes.js';
import { Random } from '../support/random.js';
import { assertIdentical, type CloneEnd, clone, quiesce, startPair } from './cloning.js';
import { withMounts } from './targets.js';

/** Of each of the two kinds of copies. */
const KILLS = Number(process.env.FEEDFS_KILLS ?? 50);
const SEED = Number(process.env.FEEDFS_SEED ?? 1);
/** After so many kills the source comes to rest, and the copy must become like it. */
const COMPARE_EVERY = 17;
/** A process is killed when it has made so many calls: it starts with some 300, and then follows. */
const CALLS_MAX = 1_000;
/** How often it is the server of the copy that is killed. */
const SERVER_PERCENT = 15;
const FEED = 'copy';
const BASELINE = ['--baseline'];
const LAST = ['--from', 'last'];
const CHILD = fileURLToPath(new URL('./clone-load-child.js', import.meta.url));

/** Exit codes of the end that was not killed: the stream broke off, its reader went away, or a mount did. */
const BROKEN_OFF: readonly number[] = [
  ...[ExitCode.OK, ExitCode.FAILURE, ExitCode.STREAM_REFUSED, ExitCode.NO_MOUNT],
];

class Load {
  readonly #child: ChildProcess;

  constructor(folder: string, seed: number) {
    const args = [CHILD, folder, `${seed}`];
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'inherit'] });
  }

  async end(): Promise<void> {
    this.#child.stdin?.end();
    const { code, signal } = await exitOf(this.#child);
    assert.equal([code, signal], [0, null], 'the load ended by itself');
  }

  abandon(): void {
    this.#child.kill('SIGKILL');
  }
}

/** Calls of read(2), write(2) and their kind that a process has made; undefined: it is gone. */
function callsOf(pid: number): number | undefined {
  try {
    const counts = fs.readFileSync(`/proc/${pid}/io`, 'latin1').matchAll(/^sysc[rw]: (\d+)$/gm);
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  } catch {
    return undefined;
  }
}

function isOver({ child }: CloneEnd): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Waits until a process has made so many calls: starting, in a baseline, or following. */
async function untilCalls(end: CloneEnd, calls: number): Promise<void> {
  const pid = end.child.pid ?? 0;
  const isThere = () => isOver(end) || (callsOf(pid) ?? calls) >= calls;
  await until(isThere, `${calls} calls of process ${pid}`, 30_000);
}

/** What a copy says that was killed in its baseline. */
const NEEDS_BASELINE = /baseline at the target is not complete/;

interface Copy {
  readonly target: string;
  /** Where the copy is a feedfs: what serves it is killed, too. */
  readonly mount: TestMount | undefined;
}

interface Round {
  /** Somebody was killed: none had come to its end before. */
  readonly isKill: boolean;
  /** What to begin the next one with. */
  readonly from: readonly string[];
}

/** One pair, one kill: of either end, both, or what serves the copy. */
async function round(
  random: Random,
  source: TestMount,
  { target, mount }: Copy,
  from: readonly string[],
): Promise<Round> {
  const args = random.chance(10) ? BASELINE : from;
  const { send, receive } = startPair({ mnt: source.mnt, feed: FEED, args }, { target });
  const victims = random.pick([[send], [receive], [send, receive]]) ?? [];
  const calls = random.below(CALLS_MAX);
  await untilCalls(random.pick([send, receive]) ?? send, calls);
  const isServerHit = mount !== undefined && random.chance(SERVER_PERCENT);
  if (isServerHit) {
    // Before it has opened the copy, it would find an empty directory in its place.
    await until(() => receive.count('hello') > 0 || isOver(receive), 'the copy in use', 30_000);
    await mount.kill();
  } else for (const victim of victims) victim.kill();
  // A receiver whose sender is gone ends by itself, and the other way round.
  const ended = await Promise.all([send.end(), receive.end()]);
  for (const { code, signal, stderr } of ended) {
    const isFine = signal === 'SIGKILL' || BROKEN_OFF.includes(code ?? -1);
    const isOurs = !stderr.includes('this is a bug');
    assert.ok(isFine && isOurs, `after a kill at ${calls} calls: ${signal ?? code} ${stderr}`);
  }
  if (isServerHit) await mount.mount();
  const isWhole = args === LAST || receive.count('confirmed') > 0;
  return {
    isKill: isServerHit || ended.some(({ signal }) => signal === 'SIGKILL'),
    from: isWhole && !NEEDS_BASELINE.test(receive.stderr) ? LAST : BASELINE,
  };
}

async function survive(source: TestMount, copy: Copy, seed: number): Promise<void> {
  const { target } = copy;
  const random = new Random(seed);
  source.feed(FEED);
  await clone({ mnt: source.mnt, feed: FEED }, { target });
  let from: readonly string[] = LAST;
  let rounds = 0;
  for (let kills = 0; kills < KILLS; ) {
    const load = new Load(source.mnt, seed + kills);
    try {
      for (const end = Math.min(KILLS, kills + COMPARE_EVERY); kills < end; ) {
        const one = await round(random, source, copy, from);
        from = one.from;
        if (one.isKill) kills += 1;
        assert.ok(++rounds <= 2 * KILLS, `only ${kills} of ${rounds} rounds got to a kill`);
      }
      await load.end();
    } finally {
      load.abandon();
    }
    quiesce(source.mnt);
    await clone({ mnt: source.mnt, feed: FEED, args: from }, { target });
    from = LAST;
    await assertIdentical(source.mnt, target);
  }
}

async function assertSound(mount: TestMount): Promise<void> {
  await mount.unmount();
  const { code, stdout, stderr } = await feedfs(['fsck', mount.store]);
  assert.is(code, 0, `fsck: ${stdout}${stderr}`);
}

test(`${KILLS} kills (seed ${SEED}): a directory becomes what the source is`, () =>
  withMount(async (source) => {
    const target = join(source.folder, 'target');
    fs.mkdirSync(target);
    await survive(source, { target, mount: undefined }, SEED);
    await assertSound(source);
  }));

test(`${KILLS} kills (seed ${SEED + 1}): another feedfs becomes what the source is`, () =>
  withMounts(2, async (source, copy) => {
    await survive(source, { target: copy.mnt, mount: copy }, SEED + 1);
    await assertSound(copy);
    await assertSound(source);
  }));

test.run();
