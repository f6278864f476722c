/** `.lustre/watch` of a mount, for those who may always have it. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EPOLLIN, Epoll } from '../support/epoll.js';
import { type TestMount, withMount } from '../support/mount.js';
import { exitOf, runOk, within } from '../support/processes.js';
import { brief, linesOf, type WatchAgent, withAgent } from './watch-agent.js';

const SELF = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, groups: [] };
const { O_NONBLOCK, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = fs.constants;

function watchPath({ mnt }: TestMount): string {
  return join(mnt, '.lustre/watch');
}

/** Makes what was done so far visible to readers. */
function sync({ mnt }: TestMount): void {
  const fd = fs.openSync(mnt, O_RDONLY);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

function touch({ mnt }: TestMount, name: string): void {
  fs.writeFileSync(join(mnt, name), '');
}

function withWatch(use: (mount: TestMount, agent: WatchAgent) => Promise<void>): Promise<void> {
  return withMount((mount) => withAgent(SELF, (agent) => use(mount, agent)));
}

test('changes from the open on, to each open its own', () =>
  withWatch(async (mount, agent) => {
    touch(mount, 'before');
    const first = await agent.watch(mount.mnt);
    touch(mount, 'a');
    const second = await agent.watch(mount.mnt);
    touch(mount, 'b');
    sync(mount);
    assert.equal(brief(await agent.lines(first)), ['create a', 'create b']);
    assert.equal(brief(await agent.lines(second)), ['create b']);
    assert.equal(await agent.lines(first), []);
  }));

test('the first write is the filter; what is refused says why', () =>
  withWatch(async (mount, agent) => {
    const fd = await agent.watch(mount.mnt);
    assert.equal(await agent.ask({ call: 'write', fd, text: '{"op":"x"}\n' }), { error: 'EINVAL' });
    const [refused] = await agent.lines(fd);
    assert.match(`${refused?.reason}`, /unknown member/);
    await agent.ask({ call: 'write', fd, text: '{"ops":"unlink"}\n' });
    assert.equal(await agent.ask({ call: 'write', fd, text: '{}' }), { error: 'EBUSY' });
    await agent.lines(fd);
    touch(mount, 'a');
    fs.unlinkSync(join(mount.mnt, 'a'));
    sync(mount);
    assert.equal(brief(await agent.lines(fd)), ['unlink a']);
  }));

test('a FIFO: no seeking, no positions, not to be opened for writing alone or cut', () =>
  withWatch(async (mount, agent) => {
    const path = watchPath(mount);
    const fd = await agent.watch(mount.mnt);
    assert.equal(await agent.ask({ call: 'pread', fd }), { error: 'ESPIPE' });
    for (const [flags, error] of [
      [O_WRONLY, 'EINVAL'],
      [O_RDWR | O_TRUNC, 'EPERM'],
    ] as const) {
      assert.equal(await agent.ask({ call: 'open', path, flags }), { error });
    }
    assert.throws(() => fs.truncateSync(path, 0), /EPERM/);
    const { mode, size } = fs.statSync(path);
    assert.equal([mode & 0o7777, size], [0o600, 0]);
  }));

test('a read waits for the next change; poll and epoll tell of it', () =>
  withWatch(async (mount, agent) => {
    const waiting = await agent.watch(mount.mnt, undefined, O_RDONLY);
    const polled = await agent.watch(mount.mnt);
    assert.is(await agent.isReadable(polled), false);
    const epoll = new Epoll();
    const fd = fs.openSync(watchPath(mount), O_RDONLY | O_NONBLOCK);
    epoll.add(fd, EPOLLIN);
    assert.equal(await epoll.wait(0), []);
    const read = agent.nextLines(waiting);
    touch(mount, 'a');
    assert.equal(brief(await read), ['create a']);
    assert.is(await agent.isReadable(polled), true);
    assert.is((await epoll.wait(10_000)).length, 1);
    const chunk = Buffer.alloc(4_096);
    const length = fs.readSync(fd, chunk);
    assert.equal(brief(linesOf(chunk.toString('utf8', 0, length))), ['create a']);
    assert.throws(() => fs.readSync(fd, chunk), /EAGAIN/);
    epoll.close();
    fs.closeSync(fd);
  }));

test('a signal ends a waiting read at once', () =>
  withMount(async (mount) => {
    const cat = spawn('cat', [watchPath(mount)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const first = new Promise((resolve) => cat.stdout.once('data', resolve));
    // It reads once it has been woken by something.
    const writer = setInterval(() => touch(mount, `t${Math.floor(performance.now())}`), 20);
    await within(first, 10_000, 'the first line');
    clearInterval(writer);
    cat.kill('SIGINT');
    const { signal } = await within(exitOf(cat), 10_000, 'the end of cat');
    assert.is(signal, 'SIGINT');
  }));

test('from a shell', () =>
  withMount(async ({ mnt }) => {
    const script = `
      exec 3<>"$MNT/.lustre/watch"
      echo '{"ops":["create","rename"],"name":"*.jpg"}' >&3
      touch "$MNT/a.txt" "$MNT/b.jpg"; mv "$MNT/b.jpg" "$MNT/c"
      head -n 2 <&3`;
    const out = await runOk('bash', ['-c', script], { env: { ...process.env, MNT: mnt } });
    assert.equal(brief(linesOf(out)), ['create b.jpg', 'rename b.jpg']);
  }));

test.run();
