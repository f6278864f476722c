// test-timeout: 120 s
/**
 * A program works on a mount while others abuse the server: bytes that are no messages, a
 * client that reads nothing, one that asks without end. It gets its share, and the server stays.
 *
 * FEEDFS_HOSTILE_S sets how long.
 */

import { once } from 'node:events';
import * as fs from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import type { Channel } from '../../src/rpc/channel.js';
import {
  type ClientId,
  type ClientMessage,
  SESSION_VERSION,
  type ServerMessage,
  type Xid,
} from '../../src/rpc/session.js';
import { parseAddress } from '../../src/rpc/socket/address.js';
import { connect } from '../../src/rpc/socket/connect.js';
import { encodePayload } from '../../src/rpc/socket/payload.js';
import { memoryOf } from '../bench/machine.js';
import { withSite } from '../cli/mds-fixture.js';
import { within } from '../support/processes.js';
import { Random } from '../support/random.js';
import { load } from './load.js';
import { COUNTER, LOG } from './load-child.js';

const SECONDS = Number(process.env.FEEDFS_HOSTILE_S ?? 8);
const END_MS = 30_000;
/** Of the server, with all that the abusers make it keep. */
const RSS_BYTES_MAX = 500e6;
/** No step of the program may wait longer for the others. */
const STEP_MS_MAX = 5_000;
const STRANGERS = 20;
const CALLS_AT_ONCE = 2_000;
/** Calls that its own end has to keep, because nobody reads them. */
const STALLED_BYTES = 1e6;
/** More than a header. */
const FRAME_BYTES = 64;

/** A client that says hello, and has heard welcome. */
async function stranger(address: string, number: number): Promise<Visitor> {
  const channel = await connect(parseAddress(address), {});
  const visitor: Visitor = { channel, answers: 0, closed: undefined };
  const client = `${number}`.padStart(32, 'e') as ClientId;
  await new Promise<void>((resolve, reject) => {
    channel.listen({
      message: ({ kind }) => {
        if (kind === 'welcome') resolve();
        else visitor.answers++;
      },
      closed: (reason) => {
        visitor.closed = reason;
        reject(new Error(reason));
      },
    });
    const hello = { version: SESSION_VERSION, client, name: 'stranger', boot: undefined } as const;
    channel.send({ kind: 'hello', ...hello, opens: 'reconstruct', committed: 0 });
  });
  return visitor;
}

interface Visitor {
  readonly channel: Channel<ClientMessage, ServerMessage>;
  answers: number;
  closed: string | undefined;
}

function ask({ channel }: Visitor, xid: number): void {
  const name = nameFromText(`nothing-${xid}`);
  const payload = encodePayload('lookup', { parent: ROOT_FID, name });
  channel.send({ kind: 'call', xid: xid as Xid, slot: undefined, resent: false, payload });
}

/** Asks until nothing more is taken, and reads no answer. */
async function stall(address: string): Promise<Visitor> {
  const visitor = await stranger(address, 1);
  visitor.channel.pause();
  for (let xid = 1; visitor.channel.queuedBytes < STALLED_BYTES; ) {
    for (const end = xid + CALLS_AT_ONCE; xid < end; xid++) ask(visitor, xid);
    await turnOfLoop();
  }
  return visitor;
}

/** Asks again and again, much at a time. Returns how many answers it got. */
async function flood(address: string, isOver: () => boolean): Promise<number> {
  const visitor = await stranger(address, 2);
  for (let xid = 1; !isOver(); ) {
    for (const end = xid + CALLS_AT_ONCE; xid < end; xid++) ask(visitor, xid);
    while (visitor.answers < xid - CALLS_AT_ONCE && !isOver()) await turnOfLoop();
  }
  visitor.channel.close('over');
  return visitor.answers;
}

/** Connections that say nothing that makes sense: the server ends them. */
async function babble(path: string, isOver: () => boolean): Promise<void> {
  const random = new Random(1);
  while (!isOver()) {
    const ends = Array.from({ length: STRANGERS }, () => {
      const socket = createConnection(path);
      socket.on('error', () => {});
      socket.resume();
      const length = FRAME_BYTES + random.below(2_000);
      socket.write(Uint8Array.from({ length }, () => random.below(256)));
      return once(socket, 'close');
    });
    await within(Promise.all(ends), END_MS, 'the end of connections that make no sense');
  }
}

function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('a program works on while others abuse the server', () =>
  withSite(async (site) => {
    const server = await site.serve();
    const mount = await site.mount('one');
    const mountpoint = site.mountpoint('one');
    for (const name of [COUNTER, LOG]) fs.writeFileSync(join(mountpoint, name), '');
    const program = load(mountpoint, 0, SECONDS);
    const isOver = (): boolean => program.ended;
    const path = site.address.slice('unix:'.length);
    const abuse = [babble(path, isOver), flood(site.address, isOver)];
    const stalled = await stall(site.address);
    const report = await within(program.report, (SECONDS + 1) * 1_000 + END_MS, 'the program');
    const rss = memoryOf(server.process.pid ?? 0).rssBytes;
    const [, answers] = await Promise.all(abuse);
    stalled.channel.close('over');
    assert.ok(Number(answers) > 0, 'the flood is answered, too');
    assert.ok(rss < RSS_BYTES_MAX, `the server takes ${rss} bytes`);
    assert.ok(report.longestMs < STEP_MS_MAX, `one step took ${report.longestMs} ms`);
    assert.ok(report.steps > 5 * SECONDS, `${report.steps} steps`);
    assert.is(server.process.exitCode, null, server.log());
    await site.unmount('one', mount);
    await site.stop(server);
  }));

test.run();
