/** A simulated filesystem with one file, and feeds that are told of accesses to it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type Test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Errno } from '../../src/base/errno.js';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import type { FeedRecord } from '../../src/feed/record.js';
import { decodeRecord } from '../../src/feed/record-codec.js';
import type { Credentials, FeedSetting } from '../../src/rpc/messages.js';
import { COMMIT_DELAY_US } from '../../src/store/limits.js';
import { TEMP_PREFIX } from '../support/mount.js';
import { Simulated } from '../support/simulated.js';

export interface AccessContext {
  folder: string;
  sim: Simulated;
  file: Fid;
}

export const WHO: Credentials = { uid: 7, gid: 8, pid: 99, jobid: 'cat.7', nid: '0@lo' };
export const CALLER = { uid: 7, gid: 8, pid: 0 };
export const ACCESSES = '{"ops":["accesses"]}';

/** Each test has a filesystem of its own. */
export function accessSuite(name: string): Test<AccessContext> {
  const test = suite<AccessContext>(name);
  test.before.each(async (context) => {
    context.folder = mkdtempSync(join(tmpdir(), TEMP_PREFIX));
    const sim = new Simulated(join(context.folder, 'store'));
    const name = nameFromText('file');
    const entry = { parent: ROOT_FID, name, mode: 0o100644, umask: 0, rdev: 0, open: false };
    const made = sim.rpc('reint', { who: WHO, change: { op: 'create', ...entry } });
    if (typeof made !== 'object') throw new Error(`create: ${made}`);
    context.file = made.attributes.fid;
    context.sim = sim;
    await sim.settle();
  });

  test.after.each(async ({ sim, folder }) => {
    await sim.close();
    rmSync(folder, { recursive: true });
  });
  return test;
}

export async function makeFeed(sim: Simulated, name: string, filter?: string): Promise<number> {
  let id = 0;
  sim.connection.call('feedCreate', { name: nameFromText(name) }, (_errno, feed) => {
    id = feed?.id ?? 0;
  });
  await sim.settle();
  if (filter !== undefined) await setText(sim, id, 'filter', filter);
  return id;
}

export async function setText(
  sim: Simulated,
  id: number,
  file: FeedSetting,
  text: string,
): Promise<void> {
  let refused: Errno | 0 | undefined;
  sim.connection.call('feedSetText', { id, file, text }, (errno) => {
    refused = errno;
  });
  await sim.settle();
  assert.is(refused, 0, text);
}

/** Everything that the feed owes. */
export async function records(sim: Simulated, id: number): Promise<FeedRecord[]> {
  await sim.settle();
  const into = new Uint8Array(256 * 1024);
  const chunk = sim.rpc('feedNext', { id, view: 'stream', epoch: 0, cursor: 0, into });
  if (typeof chunk !== 'object') return [];
  const found: FeedRecord[] = [];
  for (let at = 0; at < chunk.length; ) {
    const { record, size } = decodeRecord(into.subarray(0, chunk.length), at);
    found.push(record);
    at += size;
  }
  return found;
}

/** Brings the server's changes to disk, and leaves the client alone. */
export async function flush(sim: Simulated): Promise<void> {
  sim.clock.advance(COMMIT_DELAY_US);
  sim.server.tick(sim.clock.us);
  while (sim.flushing) await sim.finishFlush();
}

export async function ops(sim: Simulated, id: number): Promise<string[]> {
  return (await records(sim, id)).map((record) =>
    'access' in record && record.access.repeated > 0
      ? `${record.op} x${record.access.repeated}`
      : record.op,
  );
}

export function open(sim: Simulated, fid: Fid, flags = 0): number | string {
  const reply = sim.ask('open', { nodeId: fid, flags, killSuidgid: false, caller: CALLER });
  return reply.got.open?.fh ?? reply.outcome;
}

export function release(sim: Simulated, fid: Fid, fh: number | string): void {
  const rest = { flags: 0, lockOwner: 0n, unlockFlock: false };
  sim.ask('release', { nodeId: fid, fh: Number(fh), ...rest });
}

export function setxattr(sim: Simulated, fid: Fid): void {
  const value = new Uint8Array([1, 2, 3]);
  const change = { fid, name: nameFromText('user.a'), value, flags: 0, killSgid: false };
  sim.rpc('reint', { who: WHO, change: { op: 'setxattr', ...change } });
}

export function getxattr(sim: Simulated, fid: Fid, size: number, name = 'user.a'): string {
  return sim.ask('getxattr', { nodeId: fid, name: nameFromText(name), size, caller: CALLER })
    .outcome;
}
