/** What a mount tells the kernel of a copy, whatever way the kernel came to know of it. */
import * as assert from 'uvu/assert';
import { Errno, FsError } from '../../src/base/errno.js';
import { type Fid, formatFid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { ACCESS_ACL } from '../../src/base/xattr-name.js';
import { fidOfNode } from '../../src/client/control/nodes.js';
import { COPY_VALID_MS } from '../../src/client/limits.js';
import type { ReplicaItem } from '../../src/rpc/replica-message.js';
import { UNCOMMITTED_CHANGES_MAX } from '../../src/store/limits.js';
import { type Context, reintSuite } from '../mds/reint-fixture.js';
import { aclOf } from '../support/acl.js';
import { FakeReply } from '../support/fake-reply.js';
import type { Simulated } from '../support/simulated.js';
import { BEGIN, created, F, Receiving, TIME, WHO } from './replica-fixture.js';

const test = reintSuite('what the kernel is told of a copy');

const G = (F + 1) as Fid;
const FIDS = fidOfNode({ kind: 'fids' });

class Kernel {
  told: string[] = [];
  /** How many more it takes. */
  room = Number.POSITIVE_INFINITY;

  pollWakeup(): void {}
  deleteEntry(): void {}
  invalidateInode(fid: number, offset: number): void {
    this.#take(`${fid} ${offset < 0 ? 'attributes' : 'pages'}`);
  }
  invalidateEntry(parent: number, name: string): void {
    this.#take(`${parent}/${name}`);
  }

  #take(what: string): void {
    if (this.room-- <= 0) throw new FsError(Errno.ENOMEM, 'full');
    this.told.push(what);
  }
}

interface Copy {
  readonly kernel: Kernel;
  readonly receiving: Receiving;
}

/** A copy with the files `f` and `g`, of which the kernel knows nothing. */
async function withFiles({ sim }: Context): Promise<Copy> {
  const kernel = new Kernel();
  sim.client.attach(kernel);
  const receiving = new Receiving(sim);
  await receiving.done(BEGIN, created(F, 'f'), created(G, 'g'));
  kernel.told = [];
  return { kernel, receiving };
}

/** One that says what the mode says. */
function acl(fid: Fid): ReplicaItem {
  const value = aclOf('u::rw-', 'u:7:r--', 'g::r--', 'm::r--', 'o::r--');
  const change = { op: 'setxattr', fid, name: nameFromText(ACCESS_ACL), value, flags: 0 } as const;
  return { do: 'change', who: WHO, change, verbatim: { time: TIME, fid } };
}

function chmod(fid: Fid): ReplicaItem & { readonly do: 'change' } {
  const change = { op: 'setattr', fid, change: { mode: 0o600 } } as const;
  return { do: 'change', who: WHO, change, verbatim: { time: TIME, fid } };
}

function lookup(sim: Simulated, parent: Fid, name: string): FakeReply {
  return sim.ask('lookup', { nodeId: parent, name: nameFromText(name) });
}

/** Each after one acquaintance. */
function forget(sim: Simulated, ...fids: readonly Fid[]): void {
  sim.client.handlers.forget?.(fids.map((nodeId) => ({ nodeId, nlookup: 1 })));
}

test('of an object that it knows by its FID alone', async (context) => {
  const { sim } = context;
  const { kernel, receiving } = await withFiles(context);
  await receiving.done(acl(F));
  assert.equal(kernel.told, []);
  assert.is(lookup(sim, FIDS, formatFid(F)).outcome, 'ok');
  await receiving.done(acl(F), acl(G));
  assert.equal(kernel.told, [`${F} attributes`]);
  forget(sim, F);
  await receiving.done(acl(F));
  assert.is(kernel.told.length, 1);
});

test('as long as it has not forgotten all of its names', async (context) => {
  const { sim } = context;
  const { kernel, receiving } = await withFiles(context);
  lookup(sim, FIDS, formatFid(F));
  lookup(sim, ROOT_FID, 'f');
  sim.ask('readdirplus', { nodeId: ROOT_FID, fh: 0, offset: 0, size: 4_096 });
  forget(sim, F, F);
  await receiving.done(acl(F), acl(G));
  assert.equal(kernel.told, [`${F} attributes`, `${G} attributes`]);
  forget(sim, F, G);
  await receiving.done(acl(F), acl(G));
  assert.is(kernel.told.length, 2);
});

test('not of what found no room in a listing', async (context) => {
  const { sim } = context;
  const { kernel, receiving } = await withFiles(context);
  const reply = new FakeReply();
  reply.entriesMax = 1;
  const caller = { uid: 0, gid: 0, pid: 0 };
  const request = { nodeId: ROOT_FID, fh: 0, offset: 2, size: 4_096, unique: 1, caller };
  sim.client.handlers.readdirplus?.(request, reply);
  assert.is(reply.entries.length, 1);
  await receiving.done(acl(F), acl(G));
  assert.is(kernel.told.length, 1);
});

test('also if it came to know it while the change waited', async (context) => {
  const { sim } = context;
  const { kernel, receiving } = await withFiles(context);
  sim.holdFlushes = true;
  const { who, change, verbatim } = chmod(ROOT_FID);
  sim.rpc('reint', { who, change, verbatim });
  sim.server.commit.run();
  for (let i = 0; i < UNCOMMITTED_CHANGES_MAX; i++) sim.rpc('reint', { who, change, verbatim });
  assert.ok(sim.server.commit.saturated);
  const message = receiving.message(acl(F));
  const { entry } = lookup(sim, ROOT_FID, 'f').got;
  assert.is(entry?.attrValidMs, COPY_VALID_MS);
  assert.equal(kernel.told, []);
  sim.holdFlushes = false;
  while (sim.flushing) await sim.finishFlush();
  assert.is(await message, 'ok');
  assert.equal(kernel.told, [`${F} attributes`]);
});

test('later, if it has no room now', async (context) => {
  const { sim } = context;
  const { kernel, receiving } = await withFiles(context);
  lookup(sim, ROOT_FID, 'f');
  kernel.room = 0;
  await receiving.done(acl(F));
  assert.ok(sim.client.anyDirty);
  sim.tick();
  assert.equal(kernel.told, []);
  kernel.room = Number.POSITIVE_INFINITY;
  sim.tick();
  assert.equal(kernel.told, [`${F} attributes`]);
  assert.not.ok(sim.client.anyDirty);
});

test('of names that it knew not to exist before this was a copy, also if it has no room then', async ({
  sim,
}) => {
  const kernel = new Kernel();
  sim.client.attach(kernel);
  assert.is(lookup(sim, ROOT_FID, 'f').outcome, 'ENOENT');
  kernel.room = 0;
  await new Receiving(sim).done(BEGIN);
  kernel.room = Number.POSITIVE_INFINITY;
  sim.tick();
  assert.equal(kernel.told.sort(), ['1 attributes', '1 pages', '1/f']);
});

test('of a name that appears where it knew that there was none', async (context) => {
  const { sim } = context;
  const { kernel, receiving } = await withFiles(context);
  assert.is(lookup(sim, ROOT_FID, 'h').got.entry?.entryValidMs, COPY_VALID_MS);
  await receiving.done(created((F + 2) as Fid, 'h'));
  assert.equal(kernel.told.sort(), ['1 attributes', '1/h']);
});

test.run();
