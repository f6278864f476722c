/** A metadata server with a feed, without a mount, for the tests of mutations. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type Test } from 'uvu';
import { errnoName } from '../../src/base/errno.js';
import type { Fid } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import type { ChangeRecord } from '../../src/feed/record.js';
import type { Attributes, Credentials, Reint } from '../../src/rpc/messages.js';
import { TEMP_PREFIX } from '../support/mount.js';
import { owedRecords } from '../support/namespace-model.js';
import { Simulated } from '../support/simulated.js';

const WHO: Credentials = { uid: 7, gid: 8, pid: 99, jobid: 'cp.7', nid: '0@lo' };
export const FILE = 0o100644;
export const DIRECTORY = 0o040755;

export interface Context {
  folder: string;
  sim: Simulated;
  feed: number;
}

/** A suite whose tests each have a server of their own. */
export function reintSuite(name: string): Test<Context> {
  const test = suite<Context>(name);
  test.before.each(async (context) => {
    context.folder = mkdtempSync(join(tmpdir(), TEMP_PREFIX));
    context.sim = new Simulated(join(context.folder, 'store'));
    context.sim.connection.call('feedCreate', { name: nameFromText('f') }, (_errno, feed) => {
      context.feed = feed?.id ?? 0;
    });
    await context.sim.settle();
  });

  test.after.each(async ({ sim, folder }) => {
    await sim.close();
    rmSync(folder, { recursive: true });
  });
  return test;
}

/** Attributes after the change, or the name of the errno. */
export function reint(sim: Simulated, change: Reint): Attributes | string {
  sim.clock.advance(10);
  const result = sim.rpc('reint', { who: WHO, change });
  if (typeof result === 'number') return errnoName(result);
  return { ...(result as { attributes: Attributes }).attributes };
}

export function done(sim: Simulated, change: Reint): Attributes {
  const result = reint(sim, change);
  if (typeof result === 'string') throw new Error(`${change.op}: ${result}`);
  return result;
}

export function make(sim: Simulated, parent: Fid, name: string, mode = FILE): Fid {
  const asked = { parent, name: nameFromText(name), mode, umask: 0, rdev: 0, open: false };
  return done(sim, { op: 'create', ...asked }).fid;
}

export function renameOf(from: [Fid, string], to: [Fid, string], flags = 0): Reint {
  const [parent, newParent] = [from[0], to[0]];
  const [name, newName] = [nameFromText(from[1]), nameFromText(to[1])];
  return { op: 'rename', parent, name, newParent, newName, flags };
}

export function attributes(sim: Simulated, fid: Fid): Attributes {
  return { ...(sim.rpc('getattr', { fid }) as Attributes) };
}

export function nlink(sim: Simulated, fid: Fid): number {
  return attributes(sim, fid).nlink;
}

export async function lastRecord({ sim, feed }: Context): Promise<ChangeRecord> {
  await sim.settle();
  const record = owedRecords(sim, feed).at(-1);
  if (record === undefined) throw new Error('no record');
  return record;
}

export function names(...texts: string[]): ReturnType<typeof nameFromText>[] {
  return texts.map((text) => nameFromText(text));
}
