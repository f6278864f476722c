/** A store that is made a copy without a client: changes with FIDs, times and authors of their own. */
import * as assert from 'uvu/assert';
import { errnoName } from '../../src/base/errno.js';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import type {
  LogPlace,
  Method,
  Reint,
  ReplicaState,
  RequestOf,
  Verbatim,
} from '../../src/rpc/messages.js';
import type { Simulated } from '../support/simulated.js';
import { type Context, DIRECTORY, FILE } from './reint-fixture.js';

export const WHO = { uid: 7, gid: 8, pid: 99, jobid: 'cp.7', nid: '10.0.0.1@tcp' };
export const SOURCE = 'ff'.repeat(16);
export const TIME = { sec: 77, nsec: 5 };
export const LATER = { sec: 99, nsec: 1 };
export const D = 131_080 as Fid;
export const F = 131_090 as Fid;
export const G = 131_100 as Fid;

/** The errno's name, or `ok`: an answer may wait for the disk. */
export async function ask<M extends Method>(
  sim: Simulated,
  method: M,
  request: RequestOf<M>,
): Promise<string> {
  let outcome = '';
  sim.connection.call(method, request, (errno) => {
    outcome = errno === 0 ? 'ok' : errnoName(errno);
  });
  if (outcome === '') await sim.settle();
  return outcome;
}

export function placeAt(index: number): LogPlace {
  return { epoch: 0, offset: index * 10, index };
}

export function begin(
  sim: Simulated,
  more: Partial<RequestOf<'replicaBegin'>> = {},
): Promise<string> {
  const request = { filesystem: SOURCE, feed: 1, baseline: 'complete', place: placeAt(1) } as const;
  return ask(sim, 'replicaBegin', { ...request, ...more });
}

export function state(sim: Simulated): ReplicaState {
  return sim.rpc('replicaState', undefined) as ReplicaState;
}

export function apply(sim: Simulated, change: Reint, verbatim: Omit<Verbatim, 'time'>): string {
  const result = sim.rpc('reint', { who: WHO, change, verbatim: { time: TIME, ...verbatim } });
  return typeof result === 'number' ? errnoName(result) : 'ok';
}

export function make(sim: Simulated, parent: Fid, name: string, fid: Fid, mode = FILE): string {
  const at = { parent, name: nameFromText(name), umask: 0o77, rdev: 0, open: false };
  const times = { atime: LATER, mtime: TIME, ctime: TIME };
  const given = { mode, uid: 1, gid: 2, rdev: 0, ...times };
  return apply(sim, { op: 'create', ...at, mode: 0 }, { fid, attributes: given });
}

/** d/ with f in it, and g beside it. */
export async function tree({ sim }: Context): Promise<void> {
  assert.is(await begin(sim), 'ok');
  assert.is(make(sim, ROOT_FID, 'd', D, DIRECTORY), 'ok');
  assert.is(make(sim, D, 'f', F), 'ok');
  assert.is(make(sim, ROOT_FID, 'g', G), 'ok');
}

export const named = (parent: Fid, name: string) => ({ parent, name: nameFromText(name) });

export function rename(from: [Fid, string], to: [Fid, string], flags = 0): Reint {
  const { parent: newParent, name: newName } = named(...to);
  return { op: 'rename', ...named(...from), newParent, newName, flags };
}
