/** Locks of one process, of several, and the waits for them. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type PosixCase, posixAsync } from './case.js';
import { LockAgent } from './lock-agent.js';
import type { LockFamily } from './lock-calls.js';

const FAMILIES: readonly LockFamily[] = ['posix', 'ofd', 'flock'];
const RECORD_FAMILIES = ['posix', 'ofd'] as const;
const REFUSED = 'EAGAIN';

/** Two processes with the file open in each; both are ended afterwards. */
interface Scene {
  readonly path: string;
  readonly dir: string;
  readonly a: LockAgent;
  readonly b: LockAgent;
  /** The file's descriptor in a and in b. */
  readonly fa: number;
  readonly fb: number;
}

/** The processes stay for the next case; one that was ended is replaced. */
const agents: LockAgent[] = [];

async function withScene(dir: string, use: (scene: Scene) => Promise<void>): Promise<void> {
  const path = join(dir, 'file');
  fs.writeFileSync(path, 'contents');
  const [a, b] = [agents.pop() ?? new LockAgent(), agents.pop() ?? new LockAgent()];
  try {
    await use({ path, dir, a, b, fa: await a.open(path), fb: await b.open(path) });
    for (const agent of [a, b]) {
      if (!agent.ended) await agent.closeAll();
    }
  } catch (error) {
    await Promise.all([a.end(), b.end()]);
    throw error;
  }
  agents.push(...[a, b].filter((agent) => !agent.ended));
}

/** Ends the processes that wait for another case. */
export async function endLockAgents(): Promise<void> {
  await Promise.all(agents.splice(0).map((agent) => agent.end()));
}

function lockCase(name: string, use: (scene: Scene) => Promise<void>): PosixCase {
  return posixAsync(`locks: ${name}`, (dir) => withScene(dir, use));
}

/** The same case for each family of locks. */
function ofEach<F extends LockFamily>(
  families: readonly F[],
  name: string,
  use: (family: F, scene: Scene) => Promise<void>,
): PosixCase[] {
  return families.map((family) => lockCase(`${family}, ${name}`, (scene) => use(family, scene)));
}

const exclusion: readonly PosixCase[] = [
  ...ofEach(FAMILIES, 'an exclusive one keeps all others out', async (family, s) => {
    assert.is(await s.a.set(family, s.fa, 'exclusive'), 'ok');
    assert.is(await s.b.set(family, s.fb, 'exclusive'), REFUSED);
    assert.is(await s.b.set(family, s.fb, 'shared'), REFUSED);
    assert.is(await s.a.set(family, s.fa, 'none'), 'ok');
    assert.is(await s.b.set(family, s.fb, 'exclusive'), 'ok');
  }),
  ...ofEach(FAMILIES, 'shared ones keep exclusive ones out', async (family, s) => {
    assert.is(await s.a.set(family, s.fa, 'shared'), 'ok');
    assert.is(await s.b.set(family, s.fb, 'shared'), 'ok');
    assert.is(await s.b.set(family, s.fb, 'exclusive'), REFUSED);
    assert.is(await s.a.set(family, s.fa, 'none'), 'ok');
    assert.is(await s.b.set(family, s.fb, 'exclusive'), 'ok');
  }),
  ...ofEach(
    FAMILIES,
    'a holder changes its own between shared and exclusive',
    async (family, s) => {
      for (const type of ['exclusive', 'shared', 'exclusive', 'exclusive', 'shared'] as const) {
        assert.is(await s.a.set(family, s.fa, type), 'ok');
      }
      assert.is(await s.b.set(family, s.fb, 'shared'), 'ok');
      assert.is(await s.a.set(family, s.fa, 'exclusive'), REFUSED);
    },
  ),
  ...ofEach(FAMILIES, 'gone with the close', async (family, s) => {
    assert.is(await s.a.set(family, s.fa, 'exclusive'), 'ok');
    await s.a.close(s.fa);
    assert.is(await s.b.set(family, s.fb, 'exclusive'), 'ok');
  }),
  ...ofEach(FAMILIES, 'gone with the process', async (family, s) => {
    assert.is(await s.a.set(family, s.fa, 'exclusive'), 'ok');
    await s.a.end();
    assert.is(await s.b.set(family, s.fb, 'exclusive'), 'ok');
  }),
  ...ofEach(FAMILIES, 'the same by any name, and after a rename', async (family, s) => {
    fs.linkSync(s.path, join(s.dir, 'second'));
    const other = await s.b.open(join(s.dir, 'second'));
    assert.is(await s.a.set(family, s.fa, 'exclusive'), 'ok');
    assert.is(await s.b.set(family, other, 'exclusive'), REFUSED);
    fs.renameSync(s.path, join(s.dir, 'moved'));
    const moved = await s.b.open(join(s.dir, 'moved'));
    assert.is(await s.b.set(family, moved, 'exclusive'), REFUSED);
  }),
  ...ofEach(FAMILIES, 'on a file that has no name any more', async (family, s) => {
    fs.unlinkSync(s.path);
    assert.is(await s.a.set(family, s.fa, 'exclusive'), 'ok');
    assert.is(await s.b.set(family, s.fb, 'exclusive'), REFUSED);
  }),
];

const waiting: readonly PosixCase[] = [
  ...ofEach(FAMILIES, 'a wait ends when the holder lets go', async (family, s) => {
    assert.is(await s.a.set(family, s.fa, 'exclusive'), 'ok');
    const wait = await s.b.wait(family, s.fb, 'exclusive');
    assert.ok(wait.blocked);
    assert.is(await s.a.set(family, s.fa, 'none'), 'ok');
    assert.is(await wait.promise, 'ok');
    assert.is(await s.a.set(family, s.fa, 'shared'), REFUSED);
  }),
  ...ofEach(FAMILIES, 'a wait for a shared one ends when the holder shares', async (family, s) => {
    assert.is(await s.a.set(family, s.fa, 'exclusive'), 'ok');
    const wait = await s.b.wait(family, s.fb, 'shared');
    assert.ok(wait.blocked);
    assert.is(await s.a.set(family, s.fa, 'shared'), 'ok');
    assert.is(await wait.promise, 'ok');
  }),
  ...ofEach(FAMILIES, 'a wait ends when the holder closes or is killed', async (family, s) => {
    assert.is(await s.a.set(family, s.fa, 'exclusive'), 'ok');
    const first = await s.b.wait(family, s.fb, 'exclusive');
    await s.a.close(s.fa);
    assert.is(await first.promise, 'ok');
    const again = await s.a.open(s.path);
    const second = await s.a.wait(family, again, 'exclusive');
    assert.ok(first.blocked && second.blocked);
    await s.b.end();
    assert.is(await second.promise, 'ok');
  }),
  ...ofEach(FAMILIES, 'a signal ends a wait with EINTR and no lock', async (family, s) => {
    assert.is(await s.a.set(family, s.fa, 'exclusive'), 'ok');
    const wait = await s.b.wait(family, s.fb, 'exclusive');
    assert.ok(wait.blocked);
    s.b.signal('SIGUSR2');
    assert.is(await wait.promise, 'EINTR');
    assert.is(await s.a.set(family, s.fa, 'none'), 'ok');
    assert.is(await s.a.set(family, s.fa, 'exclusive'), 'ok');
  }),
  ...ofEach(FAMILIES, 'one killed in its wait leaves nothing behind', async (family, s) => {
    assert.is(await s.a.set(family, s.fa, 'shared'), 'ok');
    const wait = await s.b.wait(family, s.fb, 'exclusive');
    assert.ok(wait.blocked);
    await s.b.end();
    assert.is(await s.a.set(family, s.fa, 'exclusive'), 'ok');
    assert.is(await s.a.set(family, s.fa, 'none'), 'ok');
  }),
  lockCase('posix, a circle of waits is EDEADLK for the last', async (s) => {
    const [one, two] = [
      { start: 0, length: 1 },
      { start: 1, length: 1 },
    ];
    assert.is(await s.a.set('posix', s.fa, 'exclusive', one), 'ok');
    assert.is(await s.b.set('posix', s.fb, 'exclusive', two), 'ok');
    const wait = await s.a.wait('posix', s.fa, 'exclusive', two);
    assert.ok(wait.blocked);
    const last = await s.b.wait('posix', s.fb, 'exclusive', one);
    assert.is(await last.promise, 'EDEADLK');
    await s.b.set('posix', s.fb, 'none', two);
    assert.is(await wait.promise, 'ok');
  }),
];

const ranges: readonly PosixCase[] = [
  ...ofEach(RECORD_FAMILIES, 'ranges that do not meet are independent', async (family, s) => {
    assert.is(await s.a.set(family, s.fa, 'exclusive', { start: 10, length: 10 }), 'ok');
    for (const range of [{ length: 10 }, { start: 20 }, { start: 20, length: 1 }]) {
      assert.is(await s.b.set(family, s.fb, 'exclusive', range), 'ok');
    }
    for (const range of [{ length: 11 }, { start: 19, length: 1 }, { start: 5 }, {}]) {
      assert.is(await s.b.set(family, s.fb, 'shared', range), REFUSED);
    }
  }),
  ...ofEach(RECORD_FAMILIES, 'the middle of a range can be let go', async (family, s) => {
    assert.is(await s.a.set(family, s.fa, 'exclusive', { length: 30 }), 'ok');
    assert.is(await s.a.set(family, s.fa, 'none', { start: 10, length: 10 }), 'ok');
    assert.is(await s.b.set(family, s.fb, 'exclusive', { start: 10, length: 10 }), 'ok');
    assert.is(await s.b.set(family, s.fb, 'shared', { start: 9, length: 1 }), REFUSED);
    assert.is(await s.b.set(family, s.fb, 'shared', { start: 20, length: 1 }), REFUSED);
  }),
  ...ofEach(RECORD_FAMILIES, 'F_GETLK tells the obstacle', async (family, s) => {
    assert.is(await s.b.get(family, s.fb, 'exclusive'), null);
    assert.is(await s.a.set(family, s.fa, 'shared', { start: 5, length: 7 }), 'ok');
    assert.is(await s.b.get(family, s.fb, 'shared'), null);
    const pid = family === 'posix' ? s.a.pid : -1;
    assert.equal(await s.b.get(family, s.fb, 'exclusive', { start: 2 }), {
      type: 'shared',
      start: 5,
      length: 7,
      pid,
    });
    assert.is(await s.b.get(family, s.fb, 'exclusive', { start: 12 }), null);
  }),
  ...ofEach(RECORD_FAMILIES, 'to the end means wherever the end will be', async (family, s) => {
    assert.is(await s.a.set(family, s.fa, 'exclusive', { whence: 2 }), 'ok');
    fs.truncateSync(s.path, 1000);
    assert.is(await s.b.set(family, s.fb, 'shared', { start: 900, length: 1 }), REFUSED);
    assert.is(await s.b.set(family, s.fb, 'shared', { start: 0, length: 8 }), 'ok');
    // Backwards from the end, which is 1000 now.
    assert.is(await s.a.set(family, s.fa, 'none'), 'ok');
    assert.is(await s.b.set(family, s.fb, 'none'), 'ok');
    assert.is(await s.a.set(family, s.fa, 'exclusive', { whence: 2, length: -10 }), 'ok');
    assert.is(await s.b.set(family, s.fb, 'shared', { start: 990, length: 1 }), REFUSED);
    assert.is(await s.b.set(family, s.fb, 'shared', { start: 989, length: 1 }), 'ok');
  }),
  ...ofEach(RECORD_FAMILIES, 'ask for the descriptor’s access mode', async (family, s) => {
    const [reader, writer] = [await s.a.open(s.path, 'r'), await s.a.open(s.path, 'a')];
    assert.is(await s.a.set(family, reader, 'exclusive'), 'EBADF');
    assert.is(await s.a.set(family, writer, 'shared'), 'EBADF');
    assert.is(await s.a.set(family, reader, 'shared'), 'ok');
    assert.is(await s.a.set(family, s.fa, 'shared', { start: -1 }), 'EINVAL');
    assert.is(await s.a.set(family, 999, 'shared'), 'EBADF');
  }),
];

const ownership: readonly PosixCase[] = [
  lockCase('posix, are the process’s: another open of it is no obstacle', async (s) => {
    const second = await s.a.open(s.path);
    assert.is(await s.a.set('posix', s.fa, 'exclusive'), 'ok');
    assert.is(await s.a.set('posix', second, 'exclusive'), 'ok');
    // And the close of any of its descriptors of the file lets all go.
    await s.a.close(second);
    assert.is(await s.b.set('posix', s.fb, 'exclusive'), 'ok');
  }),
  ...(['ofd', 'flock'] as const).map((family) =>
    lockCase(`${family}, are the open’s: another open of the process is kept out`, async (s) => {
      const second = await s.a.open(s.path);
      assert.is(await s.a.set(family, s.fa, 'exclusive'), 'ok');
      assert.is(await s.a.set(family, second, 'exclusive'), REFUSED);
      await s.a.close(second);
      assert.is(await s.b.set(family, s.fb, 'exclusive'), REFUSED);
      await s.a.close(s.fa);
      assert.is(await s.b.set(family, s.fb, 'exclusive'), 'ok');
    }),
  ),
  lockCase('flock and record locks do not see each other', async (s) => {
    assert.is(await s.a.set('flock', s.fa, 'exclusive'), 'ok');
    assert.is(await s.b.set('posix', s.fb, 'exclusive'), 'ok');
    assert.is(await s.b.set('flock', s.fb, 'shared'), REFUSED);
    assert.is(await s.a.set('posix', s.fa, 'shared'), REFUSED);
  }),
  lockCase('posix and ofd ones do', async (s) => {
    assert.is(await s.a.set('ofd', s.fa, 'exclusive'), 'ok');
    assert.is(await s.b.set('posix', s.fb, 'shared'), REFUSED);
  }),
];

export const locks: readonly PosixCase[] = [...exclusion, ...waiting, ...ranges, ...ownership];
