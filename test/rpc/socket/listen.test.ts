/** Unix sockets: who is there, who may come, what a killed server leaves behind. */

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../../src/base/assert.js';
import { Errno } from '../../../src/base/errno.js';
import { ROOT_FID } from '../../../src/base/fid.js';
import { addressText, parseAddress } from '../../../src/rpc/socket/address.js';
import { connect } from '../../../src/rpc/socket/connect.js';
import { FrameReader, writeFrame } from '../../../src/rpc/socket/frame.js';
import { type Listening, listen, listenInherited } from '../../../src/rpc/socket/listen.js';
import { clientMessages, serverMessages } from '../../../src/rpc/socket/messages.js';
import { listeningSocket } from '../../../src/rpc/socket/peer-credentials.js';
import { scratchWriter } from '../../../src/rpc/socket/writer.js';
import { boundSocket, listenBusily } from '../../support/unix-socket.js';
import {
  committed,
  Inbox,
  type ServerChannel,
  temporaryFolder,
  withUnixServer,
} from './support/ends.js';

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = temporaryFolder();
  try {
    await run(folder);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

async function failure(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'no error';
}

test('each end knows the process at the other, from the kernel', async () => {
  await withUnixServer(async ({ pair }) => {
    const { client, server } = await pair();
    const self = {
      kind: 'unix',
      uid: must(process.geteuid, 'geteuid')(),
      gid: must(process.getegid, 'getegid')(),
      pid: process.pid,
    };
    assert.equal(server.peer, self);
    assert.equal(client.peer, self);
  });
});

test('the socket is for its owner alone, unless it is to be for others', async () => {
  await inFolder(async (folder) => {
    for (const [mode, expected] of [
      [undefined, 0o600],
      [0o666, 0o666],
    ] as const) {
      const path = join(folder, `of ${mode}`);
      const listening = await listen({ kind: 'unix', path }, { mode }, () => {});
      assert.is(fs.statSync(path).mode & 0o777, expected);
      await listening.close();
      assert.not(fs.existsSync(path));
    }
  });
});

/** Leaves a socket at `path` as a server does that is killed. */
function leaveSocket(path: string): void {
  const program = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  const { signal } = spawnSync(process.execPath, ['-e', program], { timeout: 20_000 });
  assert.is(signal, 'SIGKILL');
  assert.ok(fs.lstatSync(path).isSocket());
}

test('the socket of a killed server is replaced', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'mds');
    leaveSocket(path);
    const listening = await listen({ kind: 'unix', path }, {}, () => {});
    const client = await connect({ kind: 'unix', path });
    client.close('done');
    await listening.close();
  });
});

test('that of a server which lives is not, and goes on', async () => {
  await inFolder(async (folder) => {
    const address = { kind: 'unix', path: join(folder, 'mds') } as const;
    const listening = await listen(address, {}, (channel) => channel.send(committed(1)));
    assert.match(await failure(() => listen(address, {}, () => {})), /another server listens at/);
    const inbox = new Inbox(await connect(address));
    await inbox.count(1);
    assert.equal(inbox.messages, [committed(1)]);
    inbox.channel.close('done');
    await listening.close();
  });
});

test('what is no socket is left alone', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'file');
    fs.writeFileSync(path, 'precious');
    const why = await failure(() => listen({ kind: 'unix', path }, {}, () => {}));
    assert.match(why, /is no socket/);
    assert.is(fs.readFileSync(path, 'utf8'), 'precious');
  });
});

test('where nobody listens, an error says so', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'nobody');
    const why = await failure(() => connect({ kind: 'unix', path }));
    assert.ok(why.includes(`cannot connect to unix:${path}: `), why);
    assert.match(why, /ENOENT/);
  });
});

test('a socket that listens already can be taken over, with who waits at it', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'inherited');
    const fd = boundSocket(path, 'stream');
    assert.throws(() => listeningSocket(fd), /no socket that listens/);
    const waiting = listenBusily(fd, path);
    assert.equal(listeningSocket(fd), { kind: 'unix', path });
    let accepted: ServerChannel | undefined;
    const listening = await new Promise<Listening>((resolve, reject) => {
      let made: Listening | undefined;
      const both = (): void => {
        if (made !== undefined && accepted !== undefined) resolve(made);
      };
      listenInherited(fd, {}, (channel) => {
        accepted ??= channel;
        both();
      }).then((value) => {
        made = value;
        both();
      }, reject);
    });
    assert.equal(listening.address, { kind: 'unix', path });
    assert.is(must(accepted, 'channel').peer.kind, 'unix');
    await listening.close();
    // It belongs to whoever made it.
    assert.ok(fs.existsSync(path));
    for (const client of waiting) fs.closeSync(client);
  });
});

test('a descriptor that does not listen is refused', async () => {
  const why = await failure(() => listenInherited(0, {}, () => {}));
  assert.match(why, /descriptor 0|getsockopt/);
});

test('who has not said who it is sends no long message, nor the half of one', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'mds');
    let accepted: (channel: ServerChannel) => void = () => {};
    const channel = new Promise<ServerChannel>((resolve) => {
      accepted = resolve;
    });
    const listening = await listen({ kind: 'unix', path }, {}, accepted);
    const socket = createConnection(path);
    const header = Buffer.from('464601000000400100000000', 'hex');
    socket.write(header);
    const why = await new Inbox(await channel).ended();
    assert.match(why, /claims 16385 bytes, at most 16384/);
    socket.destroy();
    await listening.close();
  });
});

test('after its first message somebody may say more', () => {
  const out = scratchWriter();
  const message = { kind: 'released', fids: Array.from({ length: 10 }, () => ROOT_FID) } as const;
  writeFrame(out, clientMessages, message);
  const frames = new FrameReader(out.length);
  frames.push(Buffer.from(out.view()));
  assert.ok(frames.next() !== undefined);
  out.truncate(0);
  writeFrame(out, clientMessages, { ...message, fids: [...message.fids, ...message.fids] });
  frames.push(Buffer.from(out.view()));
  assert.ok(frames.next() !== undefined);
});

test('who is refused is told why, and keeps no place', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'mds');
    const listening = await listen({ kind: 'unix', path }, {}, (channel) => {
      channel.send({ kind: 'refused', errno: Errno.EACCES, reason: 'no', retryMs: undefined });
      channel.close('no');
    });
    // It never ends its own side: the server's does not wait for that.
    const socket = createConnection({ path, allowHalfOpen: true });
    const came: Buffer[] = [];
    socket.on('data', (chunk) => came.push(chunk));
    await new Promise<void>((resolve) => socket.on('end', () => resolve()));
    const frames = new FrameReader();
    frames.push(Buffer.concat(came));
    const message = serverMessages.decode(must(frames.next(), 'a message'));
    assert.is(message.kind === 'refused' && message.errno, Errno.EACCES);
    // The other end is closed, not only shut down for writing.
    const failed = new Promise<unknown>((resolve) => socket.on('error', resolve));
    socket.write(Buffer.alloc(100));
    assert.match(String(await failed), /EPIPE|ECONNRESET/);
    await listening.close();
  });
});

test('addresses are read and written', () => {
  for (const text of ['unix:/run/feedfs/mds', 'tcp:localhost:988', 'tcp:[::1]:988', 'unix:a b']) {
    assert.is(addressText(parseAddress(text)), text);
  }
  assert.equal(parseAddress('tcp:[fe80::1]:1'), { kind: 'tcp', host: 'fe80::1', port: 1 });
});

test('what is no address is refused with what would be', () => {
  const bad = [
    ['/run/mds', /unix:PATH or tcp:HOST:PORT/],
    ['unix:', /needs the path/],
    ['unix:a\0b', /needs the path/],
    [`unix:/${'x'.repeat(107)}`, /at most 107 bytes, this one 108/],
    [`unix:/${'ä'.repeat(54)}`, /at most 107 bytes, this one 109/],
    ['tcp:host', /tcp:HOST:PORT/],
    ['tcp:::1:988', /brackets/],
    ['tcp:host:99999', /up to 65535/],
    ['tcp::988', /tcp:HOST:PORT/],
  ] as const;
  for (const [text, expected] of bad) assert.throws(() => parseAddress(text), expected);
  assert.equal(parseAddress(`unix:/${'x'.repeat(106)}`).kind, 'unix');
});

test.run();
