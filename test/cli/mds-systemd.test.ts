/** systemd played by the test: its sockets, its notifications, and what its own checker says of the units. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import koffi from 'koffi';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { listenFds, notifyManager, watchdogMs } from '../../src/cli/systemd.js';
import { feedfs, MAIN } from '../support/mount.js';
import { exitOf, run, within } from '../support/processes.js';
import { projectRoot } from '../support/project-root.js';
import { withSite } from './mds-fixture.js';

const UNITS = join(projectRoot(), 'units');

const libc = koffi.load(null);
const socket = libc.func('int socket(int domain, int type, int protocol)');
const bind = libc.func('int bind(int fd, const uint8_t *address, uint32_t bytes)');
const listen = libc.func('int listen(int fd, int backlog)');
const recv = libc.func('int64_t recv(int fd, _Out_ uint8_t *bytes, size_t length, int flags)');

const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;

/** A unix socket at `path`, as the service manager has them. */
function boundSocket(path: string, type: number): number {
  const fd = socket(1, type, 0) as number;
  const address = Buffer.concat([Buffer.from([1, 0]), Buffer.from(path), Buffer.from([0])]);
  assert.is(bind(fd, address, address.length), 0);
  return fd;
}

/** The next datagram; waits on another thread. */
function received(fd: number): Promise<string> {
  const bytes = Buffer.alloc(4096);
  return new Promise((resolve, reject) => {
    recv.async(fd, bytes, bytes.length, 0, (error: Error | null, count: number | bigint) => {
      if (error !== null) reject(error);
      else resolve(bytes.subarray(0, Number(count)).toString());
    });
  });
}

test('the descriptors are for the process that is named', () => {
  assert.equal(listenFds({ LISTEN_PID: '7', LISTEN_FDS: '2' }, 7), [3, 4]);
  assert.equal(listenFds({ LISTEN_PID: '8', LISTEN_FDS: '2' }, 7), []);
  assert.equal(listenFds({ LISTEN_PID: '7', LISTEN_FDS: '-1' }, 7), []);
  assert.equal(listenFds({}, 7), []);
});

test('a sign of life is sent twice in the time that is allowed', () => {
  assert.is(watchdogMs({ WATCHDOG_USEC: '30000000' }, 7), 15_000);
  assert.is(watchdogMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }, 7), undefined);
  assert.is(watchdogMs({ WATCHDOG_USEC: 'soon' }, 7), undefined);
});

test('without a manager, or with one that does not listen, nothing happens', () => {
  notifyManager({}, 'READY=1');
  notifyManager({ NOTIFY_SOCKET: '/nowhere/at/all' }, 'READY=1');
  notifyManager({ NOTIFY_SOCKET: `/${'x'.repeat(200)}` }, 'READY=1');
  notifyManager({ NOTIFY_SOCKET: 'relative' }, 'READY=1');
});

test('an abstract socket is told too', async () => {
  const name = `feedfs-test-${process.pid}`;
  const fd = socket(1, 2, 0) as number;
  const address = Buffer.concat([Buffer.from([1, 0, 0]), Buffer.from(name)]);
  assert.is(bind(fd, address, address.length), 0);
  const told = received(fd);
  notifyManager({ NOTIFY_SOCKET: `@${name}` }, 'STATUS=well');
  assert.is(await told, 'STATUS=well');
  fs.closeSync(fd);
});

test('a server takes the socket that the manager made, and says when it is ready', () =>
  withSite(async (site) => {
    const path = join(site.folder, 'activated');
    // Of no event loop: this process must not accept what is for the server.
    const listening = boundSocket(path, SOCK_STREAM);
    assert.is(listen(listening, 8), 0);
    const notify = join(site.folder, 'notify');
    const fd = boundSocket(notify, SOCK_DGRAM);
    const first = received(fd);
    // LISTEN_PID is that of the process itself: a shell that becomes it knows.
    const script = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"';
    const argv = ['-c', script, 'sh', process.execPath, MAIN, 'mds', '-f', site.store];
    const server = spawn('sh', argv, {
      stdio: ['ignore', 'inherit', 'inherit', listening],
      env: { ...process.env, NOTIFY_SOCKET: notify, WATCHDOG_USEC: '100000' },
    });
    try {
      const told = [await within(first, 30_000, 'the first notification')];
      while (!told.includes('WATCHDOG=1')) told.push(await within(received(fd), 30_000, 'more'));
      assert.is(told[0], 'READY=1');
      assert.ok(told.some((line) => line.startsWith('STATUS=recovery inactive')));
      const status = await feedfs(['mds', 'status', `unix:${path}`]);
      assert.is(status.code, 0, status.stderr);
    } finally {
      server.kill('SIGTERM');
    }
    assert.is((await exitOf(server)).code, 0);
    fs.closeSync(listening);
    fs.closeSync(fd);
  }));

test('systemd finds nothing wrong with the units', async () => {
  const files = fs.readdirSync(UNITS);
  assert.equal(files.sort(), ['feedfs-mds@.service', 'feedfs-mds@.socket', 'feedfs@.service']);
  const there = await run('sh', ['-c', 'command -v systemd-analyze']);
  if (there.code !== 0) return;
  const { stdout, stderr } = await run(
    'systemd-analyze',
    ['verify', '--man=no', ...files.map((file) => join(UNITS, file.replace('@', '@srv-store')))],
    { env: { ...process.env, SYSTEMD_UNIT_PATH: `${UNITS}:` } },
  );
  const said = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('feedfs'));
  assert.equal(said, []);
});

test.run();
