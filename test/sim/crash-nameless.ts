/** Steps of a crash run with objects that have no name: made so, named late, forgotten by the kernel. */
import * as assert from 'uvu/assert';
import type { Fid } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import type { FakeReply } from '../support/fake-reply.js';
import { O_RDWR } from '../support/simulated-files.js';
import type { CrashRun } from './crash-run.js';
import { FileHistory } from './file-history.js';

/** One random step. */
export async function nameless(run: CrashRun): Promise<void> {
  const dice = run.random.below(10);
  if (dice < 3) await makeNameless(run);
  else if (dice < 8) await nameOpen(run);
  else forget(run);
}

async function makeNameless(run: CrashRun): Promise<void> {
  const nodeId = run.random.pick(run.directories) ?? 1;
  const asked = { nodeId, mode: 0o640, flags: O_RDWR, umask: 0 };
  const { open, entry } = (await answer(run, run.sim.ask('tmpfile', asked))).got;
  if (open === undefined || entry === undefined) return;
  const fid = entry.nodeId as Fid;
  assert.not.ok(run.told.has(fid), `FID ${fid} was given out twice`);
  run.told.add(fid);
  run.files.set(fid, new FileHistory());
  run.opens.push({ fh: open.fh, fid });
  // Nobody may count on finding it after a crash.
  run.unlinked.add(fid);
}

/** An open file gets a name: the first, another, or, having lost its last, none. */
async function nameOpen(run: CrashRun): Promise<void> {
  const oldNodeId = run.random.pick(run.opens)?.fid;
  if (oldNodeId === undefined) return;
  const name = nameFromText(run.random.pick(['a', 'b', 'c', 'd', 'late']) ?? 'late');
  const nodeId = run.random.pick(run.directories) ?? 1;
  await answer(run, run.sim.ask('link', { nodeId, oldNodeId, name }));
}

/** The kernel forgets something that was removed; it may be open, or long gone. */
function forget(run: CrashRun): void {
  const nodeId = run.random.pick([...run.unlinked]);
  if (nodeId === undefined) return;
  run.sim.client.handlers.forget?.([{ nodeId, nlookup: 1 }]);
}

async function answer(run: CrashRun, reply: FakeReply): Promise<FakeReply> {
  while (!reply.answered) await run.letDiskWork();
  return reply;
}
