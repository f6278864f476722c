/**
 * Generated changes, two watches of an ordinary user, and a checker that asks the system
 * itself: a process of that user tries to list each directory right after the change and
 * right before the delivery. What a watch shows is exactly what follows from the answers.
 */
import * as fs from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type TestMount, withMount } from '../support/mount.js';
import { Random } from '../support/random.js';
import { type AgentUser, type Line, type WatchAgent, withAgent } from './watch-agent.js';
import {
  type Change,
  type Directory,
  directoriesOf,
  linesFor,
  pathOf,
  summary,
} from './watch-model.js';
import { directoriesWith, WatchSteps } from './watch-steps.js';

const USER: AgentUser = { uid: 42_001, gid: 42_002, groups: [42_003, 42_004] };
const STEPS = 400;
/** The second watch is read after so many changes at most. */
const DELAY_MAX = 30;
const SEEDS = [1, 2, 3] as const;

/** A change, and what the user could do when it was made. */
interface Made {
  readonly change: Change;
  readonly seen: ReadonlySet<Directory>;
  readonly readable: boolean;
}

class Checker {
  readonly #mnt: string;
  readonly #agent: WatchAgent;

  constructor(mnt: string, agent: WatchAgent) {
    this.#mnt = mnt;
    this.#agent = agent;
  }

  /** Those of the directories that the user can list now. */
  async seen(directories: readonly Directory[]): Promise<Set<Directory>> {
    const there = [...new Set(directories)].filter((one) => !one.removed);
    const paths = there.map((directory) => pathOf(this.#mnt, directory) ?? '');
    const answers = await this.#agent.mayList(paths);
    return new Set(there.filter((_directory, i) => answers[i]));
  }

  /** Whether the user can read what was written to, through a directory that can be listed. */
  async readable({ op, object }: Change): Promise<boolean> {
    if (op !== 'write' || object.kind === 'directory') return false;
    const seen = await this.seen(directoriesWith(object));
    const place = object.places.find(({ directory }) => seen.has(directory));
    if (place === undefined) return false;
    return this.#agent.mayRead(`${pathOf(this.#mnt, place.directory)}/${place.name}`);
  }

  async made(change: Change): Promise<Made> {
    const seen = await this.seen(directoriesOf(change));
    return { change, seen, readable: await this.readable(change) };
  }

  /** What has to be shown of changes if it is delivered now. */
  async expected(made: readonly Made[]): Promise<string[]> {
    const now = await this.seen(made.flatMap(({ change }) => directoriesOf(change)));
    const lines: string[] = [];
    for (const { change, seen, readable } of made) {
      const stillReadable = readable && (await this.readable(change));
      const sees = (directory: Directory) => seen.has(directory) && now.has(directory);
      lines.push(...linesFor(change, sees, stillReadable));
    }
    return lines;
  }
}

function sync({ mnt }: TestMount): void {
  const fd = fs.openSync(mnt, 'r');
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

/** Own numbers without gaps, and nothing that tells of whoever made the change. */
function checkLines(lines: readonly Line[], from: { index: number; offset: number }): void {
  for (const line of lines) {
    assert.equal([line.index, line.offset], [`${from.index}`, `${from.offset}`]);
    for (const key of ['transno', 'uid', 'gid', 'pid', 'nid', 'jobid', 'last']) {
      assert.is(line[key], undefined, `${key} in ${JSON.stringify(line)}`);
    }
    from.index++;
    from.offset += Buffer.byteLength(JSON.stringify(line)) + 1;
  }
}

async function runSeed(mount: TestMount, agent: WatchAgent, seed: number): Promise<number> {
  const { mnt } = mount;
  const random = new Random(seed);
  const steps = new WatchSteps(mnt, random, USER);
  const checker = new Checker(mnt, agent);
  const [prompt, delayed] = [await agent.watch(mnt), await agent.watch(mnt)];
  const places = [0, 0].map(() => ({ index: 1, offset: 0 }));
  let waiting: Made[] = [];
  let shown = 0;
  const check = async (fd: number, number: number, made: readonly Made[], what: string) => {
    sync(mount);
    const expected = await checker.expected(made);
    const lines = await agent.lines(fd);
    assert.equal(lines.map(summary), expected, what);
    checkLines(lines, places[number] ?? { index: 0, offset: 0 });
    shown += lines.length;
  };
  for (let step = 0; step < STEPS; step++) {
    const what = `seed ${seed}, step ${step}`;
    const made: Made[] = [];
    for (const change of steps.step()) made.push(await checker.made(change));
    waiting.push(...made);
    await check(prompt, 0, made, `${what}, at once`);
    if (waiting.length < DELAY_MAX && !random.chance(4)) continue;
    await check(delayed, 1, waiting, `${what}, later`);
    waiting = [];
  }
  await agent.close(prompt);
  await agent.close(delayed);
  return shown;
}

if (process.getuid?.() === 0) {
  for (const seed of SEEDS) {
    test(`exactly what the user could list, then and now (seed ${seed})`, async () => {
      const umask = process.umask(0);
      try {
        await withMount(
          (mount) =>
            withAgent(USER, async (agent) => {
              const shown = await runSeed(mount, agent, seed);
              assert.ok(shown > STEPS / 4, `${shown} lines`);
            }),
          { options: 'user_watch' },
        );
      } finally {
        process.umask(umask);
      }
    });
  }
}

test.run();
