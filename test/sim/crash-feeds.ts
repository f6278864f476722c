/** The feeds of a crash run: one that is never acknowledged, and others that come and go. */
import * as assert from 'uvu/assert';
import type { Errno } from '../../src/base/errno.js';
import { nameFromText } from '../../src/base/name.js';
import type { CrashRun } from './crash-run.js';

/** Waits for the answer of an RPC; the errno is to be 0. */
async function answered(
  run: CrashRun,
  what: string,
  call: (answer: (errno: Errno | 0) => void) => void,
): Promise<void> {
  let outcome: Errno | 0 | undefined;
  call((errno) => {
    outcome = errno;
  });
  while (outcome === undefined) await run.letDiskWork();
  assert.is(outcome, 0, what);
}

/** The id of the new feed. */
export async function makeFeed(run: CrashRun, text: string): Promise<number> {
  const { connection } = run.sim;
  let id = 0;
  await answered(run, `feedCreate ${text}`, (answer) => {
    connection.call('feedCreate', { name: nameFromText(text) }, (errno, feed) => {
      id = feed?.id ?? 0;
      answer(errno);
    });
  });
  return id;
}

/** A second feed comes, is acknowledged from its start on, and goes. */
export async function acknowledge(run: CrashRun): Promise<void> {
  const { acknowledged, random } = run;
  const { connection, server } = run.sim;
  if (acknowledged === undefined) {
    const id = await makeFeed(run, `acknowledged after ${run.told.size}`);
    run.acknowledged = { id, to: 0 };
    return;
  }
  const { id } = acknowledged;
  const feed = server.feeds.get(id);
  assert.ok(feed, 'the second feed is there');
  if (random.chance(15)) {
    const request = { name: feed.name };
    await answered(run, 'feedRemove', (answer) => connection.call('feedRemove', request, answer));
    run.acknowledged = undefined;
    return;
  }
  const length = random.below(server.log.visibleEnd.offset + 1);
  const request = { id, view: 'stream', epoch: 0, offset: 0, length } as const;
  await answered(run, 'feedPunch', (answer) => connection.call('feedPunch', request, answer));
  acknowledged.to = Math.max(acknowledged.to, feed.cancelled.after(0)?.end.offset ?? 0);
}
