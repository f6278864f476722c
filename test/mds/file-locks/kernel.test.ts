// test-timeout: 120 s
/** The same calls to the kernel, for a file on tmpfs, and to the table: the same comes of them. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../../src/base/assert.js';
import { Errno, errnoName } from '../../../src/base/errno.js';
import type { Fid } from '../../../src/base/fid.js';
import { FileLockTable } from '../../../src/mds/file-locks/file-lock-table.js';
import { FILE_LOCK_END } from '../../../src/rpc/file-locks.js';
import type { FileLockWanted } from '../../../src/rpc/messages.js';
import type { ClientId } from '../../../src/rpc/session.js';
import { LockAgent, type Waiting } from '../../posix/lock-agent.js';
import { Random } from '../../support/random.js';

const FILE = 1 as Fid;
const STEPS = 150;
const SEEDS = 4;
const BYTES = 8;
const TYPES = ['shared', 'exclusive', 'none'] as const;

/** One process of the kernel's, which is a client of the table's. */
interface Party {
  readonly by: ClientId;
  readonly agent: LockAgent;
  readonly fd: number;
  /** Where it waits: in the kernel, and in the table. */
  waits: { kernel: Waiting; table: { outcome: Errno | 0 | undefined } } | undefined;
}

const nameOf = (errno: Errno | 0): string => (errno === 0 ? 'ok' : errnoName(errno));

class Comparison {
  readonly table = new FileLockTable();
  readonly parties: Party[] = [];
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  async start(path: string, agents: number): Promise<void> {
    for (let i = 0; i < agents; i++) {
      const agent = new LockAgent();
      const by = `${i}`.repeat(32) as ClientId;
      this.parties.push({ by, agent, fd: await agent.open(path), waits: undefined });
    }
  }

  async end(): Promise<void> {
    for (const { agent } of this.parties) await agent.end();
  }

  async step(): Promise<void> {
    const random = this.#random;
    const free = this.parties.filter(({ waits }) => waits === undefined);
    const party = must(free[random.below(free.length)], 'a party that does not wait');
    const type = must(TYPES[random.below(3)], 'type');
    const start = random.below(BYTES);
    const length = random.below(BYTES - start + 1);
    const range = { start, length };
    const end = length === 0 ? FILE_LOCK_END : start + length - 1;
    const wanted = { fid: FILE, owner: 1n, flock: false, type, start, end, pid: 1 } as const;
    if (random.below(4) === 0) await this.#get(party, wanted, range);
    else await this.#set(party, wanted, range, random.below(2) === 0);
    await this.#woken();
  }

  async #get(
    { agent, by, fd }: Party,
    wanted: FileLockWanted,
    range: { start: number; length: number },
  ): Promise<void> {
    if (wanted.type === 'none') return;
    const kernel = await agent.get('posix', fd, wanted.type, range);
    assert.is(this.table.test(by, wanted).type === 'none', kernel === null);
  }

  async #set(
    party: Party,
    wanted: FileLockWanted,
    range: { start: number; length: number },
    wait: boolean,
  ): Promise<void> {
    const { agent, by, fd } = party;
    const told: { outcome: Errno | 0 | undefined } = { outcome: undefined };
    // With two that wait for the same, the kernel's order is its own.
    const others = this.parties.some(({ waits }) => waits !== undefined);
    const cancel = this.table.lock(by, { ...wanted, wait }, (errno) => {
      told.outcome = errno;
    });
    if (told.outcome === undefined && others) return cancel();
    // Of several locks in the way the kernel follows one: it may find the circle only later.
    if (told.outcome === Errno.EDEADLK && this.parties.length > 2) return;
    if (!wait)
      return assert.is(await agent.set('posix', fd, wanted.type, range), nameOf(told.outcome ?? 0));
    const kernel = await agent.wait('posix', fd, wanted.type, range);
    assert.is(
      kernel.blocked,
      told.outcome === undefined,
      `${told.outcome} ${JSON.stringify(range)} ${wanted.type}`,
    );
    if (told.outcome === undefined) party.waits = { kernel, table: told };
    else assert.is(await kernel.promise, nameOf(told.outcome));
  }

  /** What the table says is not waiting any more is not in the kernel either. */
  async #woken(): Promise<void> {
    for (const party of this.parties) {
      const outcome = party.waits?.table.outcome;
      if (party.waits === undefined || outcome === undefined) continue;
      assert.is(await party.waits.kernel.promise, nameOf(outcome));
      party.waits = undefined;
    }
  }
}

test('fcntl locks of two and of three processes', async () => {
  const path = join('/dev/shm', `feedfs-test-locks-${process.pid}`);
  writeFileSync(path, 'x'.repeat(BYTES));
  try {
    for (let seed = 0; seed < SEEDS; seed++) {
      const comparison = new Comparison(seed);
      try {
        await comparison.start(path, 2 + (seed % 2));
        for (let step = 0; step < STEPS; step++) await comparison.step();
      } finally {
        await comparison.end();
      }
    }
  } finally {
    rmSync(path, { force: true });
  }
});

test.run();
