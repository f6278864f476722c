/** Opening and reading baselines of a simulated filesystem through the RPCs. */
import * as assert from 'uvu/assert';
import { type Errno, errnoName } from '../../src/base/errno.js';
import type { Fid } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { BASELINE_READ_BYTES } from '../../src/mds/limits.js';
import { type BaselineModel, modelOfBaseline } from '../support/baseline-model.js';
import { namespaceOf } from '../support/namespace-model.js';
import { flatten } from '../support/replayer.js';
import type { Simulated } from '../support/simulated.js';
import { done } from './reint-fixture.js';

export interface Asked {
  /** Undefined until it is answered. */
  errno: Errno | 0 | undefined;
  id: number;
}

export function ask(sim: Simulated, feed: number): Asked {
  const asked: Asked = { errno: undefined, id: 0 };
  sim.connection.call('baselineOpen', { feed }, (errno, opened) => {
    asked.errno = errno;
    asked.id = opened?.id ?? 0;
  });
  return asked;
}

export async function open(sim: Simulated, feed: number): Promise<number> {
  const asked = ask(sim, feed);
  await sim.settle();
  assert.is(asked.errno, 0, 'opened');
  return asked.id;
}

/** Bytes of one read, or the errno's name; undefined while it waits. */
export function read(sim: Simulated, id: number, bytes = BASELINE_READ_BYTES): Uint8Array | string {
  const into = new Uint8Array(bytes);
  let answer: Uint8Array | string | undefined;
  sim.connection.call('baselineNext', { id, into }, (errno, chunk) => {
    answer = chunk === undefined ? errnoName(errno) : into.subarray(0, chunk.length);
  });
  for (let ticks = 0; answer === undefined && ticks < 10_000; ticks++) sim.tick();
  if (answer === undefined) throw new Error('it is never answered');
  return answer;
}

export function chunks(sim: Simulated, id: number, bytes?: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (;;) {
    const chunk = read(sim, id, bytes);
    if (typeof chunk === 'string') throw new Error(chunk);
    if (chunk.byteLength === 0) return found;
    found.push(chunk);
  }
}

export async function whole(sim: Simulated, feed: number, bytes?: number): Promise<BaselineModel> {
  const id = await open(sim, feed);
  const model = modelOfBaseline(chunks(sim, id, bytes));
  sim.rpc('baselineClose', { id });
  return model;
}

export function isSame(sim: Simulated, { nodes }: BaselineModel): void {
  assert.equal(flatten(nodes), flatten(namespaceOf(sim)));
}

export function link(sim: Simulated, fid: Fid, parent: Fid, name: string): void {
  done(sim, { op: 'link', fid, parent, name: nameFromText(name) });
}

export function setxattr(sim: Simulated, fid: Fid, name: string, value: Uint8Array): void {
  done(sim, { op: 'setxattr', fid, name: nameFromText(name), value, flags: 0 });
}
