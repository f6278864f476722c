/**
 * Several clients change a filesystem, and the server is killed when some of that is on disk.
 * Their replays, in any interleaving, lead to the same tree and the same bytes in the feed as
 * if nothing had happened; also if the server is killed again on the way.
 */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fid, ROOT_FID } from '../../../src/base/fid.js';
import { nameFromText } from '../../../src/base/name.js';
import type { ReplayItem } from '../../../src/mds/export/parts.js';
import { createCoordinator } from '../../../src/mds/recovery/coordinator.js';
import type { Reint } from '../../../src/rpc/messages.js';
import type { ClientId, KeyId, Slot, Xid } from '../../../src/rpc/session.js';
import { type Made, type Served, withServed } from './replay-fixture.js';

const CLIENTS = ['a', 'b', 'c'].map((digit) => digit.repeat(32) as ClientId);
const RENAME_FLAGS = [0, 0, 0, 1, 2, 4];
const KINDS = [0o100644, 0o100644, 0o040755, 0o040755, 0o010600];

/** Numbers that an operation draws from; what they mean depends on what is there by then. */
interface Step {
  readonly client: number;
  readonly op: number;
  readonly draws: readonly [number, number, number, number];
  readonly keeps: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  client: fc.nat(CLIENTS.length - 1),
  op: fc.nat(13),
  draws: fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000), fc.nat(1000)),
  keeps: fc.boolean(),
});

const scenario = fc.record({
  steps: fc.array(step, { minLength: 5, maxLength: 60 }),
  /** Steps that are on disk when the server is killed, in thousandths. */
  committed: fc.nat(1000),
  /** The same of the replays, when it is killed again. */
  again: fc.option(fc.nat(1000), { nil: undefined }),
  /** Whose message arrives next. */
  order: fc.array(fc.nat(CLIENTS.length - 1), { minLength: 200, maxLength: 200 }),
});

/** A name of few, so that operations meet. */
function nameOf(draw: number): ReturnType<typeof nameFromText> {
  return nameFromText(`n${draw % 5}`);
}

function changeOf({ op, draws }: Step, fids: readonly Fid[]): Reint {
  const [a, b, c, d] = draws;
  const pick = (draw: number): Fid => fids[draw % fids.length] as Fid;
  const at = { parent: pick(a), name: nameOf(b) };
  const fid = pick(a);
  const xattr = nameFromText(`user.${c % 2}`);
  const contents = new Uint8Array(d % 50).fill(c);
  const written = { blocks: 0, killSuidgid: false, keepIntent: false, generation: 0 } as const;
  switch (op) {
    case 0:
    case 1:
    case 2:
      return {
        ...{ op: 'create', ...at, mode: KINDS[c % KINDS.length] as number },
        ...{ umask: 0o22, rdev: 0, open: false },
      };
    case 3:
      return { op: 'symlink', ...at, target: `t${c}` };
    case 4:
      return { op: 'link', fid: pick(c), ...at };
    case 5:
      return { op: 'unlink', ...at };
    case 6:
      return { op: 'rmdir', ...at };
    case 7:
    case 8: {
      const flags = RENAME_FLAGS[(a + d) % RENAME_FLAGS.length] as number;
      return { op: 'rename', ...at, newParent: pick(c), newName: nameOf(d), flags };
    }
    case 9:
      return { op: 'setattr', fid, change: { mode: b & 0o7777, size: d % 40, atime: 'now' } };
    case 10:
      return { op: 'setxattr', fid, name: xattr, value: contents, flags: 0 };
    case 11:
      return { op: 'removexattr', fid, name: xattr };
    case 12: {
      const extents = contents.length === 0 ? [] : [{ offset: 0, length: contents.length }];
      const mtime = { sec: b, nsec: c };
      const inline = { layout: 'inline', contents, size: contents.length, mtime } as const;
      return { op: 'write', fid, extents, ...inline, ...written };
    }
    default:
      return { op: 'tmpfile', parent: pick(a), mode: 0o600, umask: 0, linkable: c % 3 > 0 };
  }
}

interface Done extends Made {
  readonly client: number;
}

/** Runs the steps; what was made after `onDisk` of them is what the clients keep. */
async function run(served: Served, steps: readonly Step[], onDisk: number): Promise<Done[]> {
  const fids: Fid[] = [ROOT_FID];
  const kept: Done[] = [];
  for (const [index, one] of steps.entries()) {
    if (index === onDisk) await served.sim.settle();
    const made = served.try(changeOf(one, fids), { keepsNameless: one.keeps });
    if (typeof made === 'string') continue;
    if (!fids.includes(made.fid)) fids.push(made.fid);
    if (index >= onDisk) kept.push({ ...made, client: one.client });
  }
  if (onDisk >= steps.length) await served.sim.settle();
  return kept;
}

/** Their messages arrive one by one; the recovery is over when all have, unless `until` stops it before. */
function recover(
  served: Served,
  kept: readonly Done[],
  order: readonly number[],
  until = Number.POSITIVE_INFINITY,
): string[] {
  const { server } = served.sim;
  const failed: string[] = [];
  let made = 0;
  const coordinator = createCoordinator(
    {
      nowUs: () => 0,
      wallClock: () => ({ sec: 0, nsec: 0 }),
      step: () => {},
      replay: (_client, { receipt }) => {
        const one = kept.find(({ transno }) => transno === receipt.transno) as Done;
        if (made++ >= until || one.transno <= server.lastTransno) return 0;
        const outcome = served.replay(one);
        if (outcome !== 'ok') failed.push(`${one.transno} ${one.request.change.op}: ${outcome}`);
        else if (one.kept !== undefined) server.namespace.opens.add(one.kept);
        return 0;
      },
      evict: (_client, reason) => failed.push(reason),
      whenFlushed: (settled) => settled(undefined),
      dropAll: () => {},
      destroyOrphans: () => server.finishRecovery(() => false),
    },
    { known: CLIENTS.map((client) => ({ client, name: '', identity: '' })), windowUs: 1e9 },
  );
  for (const client of CLIENTS) coordinator.connected(client);
  for (const client of CLIENTS) coordinator.stepDone(client, 'opens');
  const queues = CLIENTS.map((_, index) => kept.filter(({ client }) => client === index));
  const turns = [...order, ...CLIENTS.flatMap((_, index) => queues[index]?.map(() => index) ?? [])];
  for (const index of turns) {
    const next = queues[index]?.shift();
    const client = CLIENTS[index] as ClientId;
    if (next !== undefined) coordinator.replay(client, itemOf(next), () => {});
  }
  for (const client of CLIENTS) coordinator.stepDone(client, 'replays');
  if (until < kept.length) return failed;
  for (const client of CLIENTS) coordinator.stepDone(client, 'locks');
  assert.is(coordinator.running, false);
  return failed;
}

function itemOf({ transno, fid, request }: Done): ReplayItem {
  const payload = { method: 'reint', request, bytes: new Uint8Array(1) } as const;
  const time = { sec: 0, nsec: 0 };
  const signed = { handle: undefined, key: 1 as KeyId, mac: new Uint8Array(32) };
  return {
    ...{ xid: transno as Xid, slot: 0 as Slot, payload },
    receipt: { transno, time, fid, ...signed },
  };
}

test('replays lead to the same tree and the same records, whatever was on disk', () =>
  fc.assert(
    fc.asyncProperty(scenario, async ({ steps, committed, again, order }) => {
      const onDisk = Math.floor((steps.length * committed) / 1000);
      let expected: unknown;
      await withServed(async (served) => {
        await run(served, steps, onDisk);
        expected = await served.state();
      });
      await withServed(async (served) => {
        const kept = await run(served, steps, onDisk);
        await served.kill();
        if (again !== undefined) {
          const until = Math.floor((kept.length * again) / 1000);
          assert.equal(recover(served, kept, order, until), []);
          if (until < kept.length) {
            await served.sim.settle();
            await served.kill();
          }
        }
        if (served.sim.server.recovering) assert.equal(recover(served, kept, order), []);
        assert.equal(await served.state(), expected);
      });
    }),
    { numRuns: 25, seed: 7 },
  ));

test.run();
