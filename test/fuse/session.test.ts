/** A session on a device without a kernel: how it starts, ends, and copes with refused replies. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../src/base/errno.js';
import type { Handlers } from '../../src/fuse/api.js';
import { type Device, GONE, NOTHING } from '../../src/fuse/device.js';
import { Session, type SessionOptions } from '../../src/fuse/session.js';
import { Opcode } from '../../src/fuse/wire/abi.js';
import { bytesOf, cstring, errnoIn, initBody, request, u32, u64 } from './support.js';

class FakeDevice implements Device {
  readonly requests: Buffer[] = [];
  readonly written: Buffer[] = [];
  readonly aside: Buffer[] = [];
  /** errnos of the next writes. */
  readonly failures: number[] = [];
  gone = false;
  closed = 0;
  #wake: (() => void) | undefined;

  read(into: Buffer): number {
    const next = this.requests.shift();
    if (next === undefined) return this.gone ? GONE : NOTHING;
    next.copy(into);
    return next.length;
  }
  write(from: Buffer, bytes: number): number {
    this.written.push(Buffer.from(from.subarray(0, bytes)));
    return this.failures.shift() ?? 0;
  }
  writeAside(from: Buffer, done: (errno: number) => void): void {
    this.aside.push(Buffer.from(from));
    setImmediate(done, 0);
  }
  sleep(wake: () => void): void {
    this.#wake = wake;
    if (this.requests.length > 0 || this.gone) this.deliver();
  }
  rouse(): void {}
  rest(): boolean {
    return false;
  }
  close(): void {
    this.closed++;
  }
  deliver(...requests: Buffer[]): void {
    this.requests.push(...requests);
    const wake = this.#wake;
    this.#wake = undefined;
    if (wake !== undefined) setImmediate(wake);
  }
}

function start(handlers: Handlers, options: SessionOptions = {}) {
  const device = new FakeDevice();
  device.deliver(request(Opcode.INIT, initBody(0xffff_ffff)));
  const session = new Session(device, handlers, { busyPollUs: 0, ...options });
  session.start();
  return { device, session };
}

test('connects, serves, and ends when it is unmounted', async () => {
  let destroyed = 0;
  const { device, session } = start({
    rmdir: (_, reply) => reply.ok(),
    destroy: () => {
      destroyed++;
    },
  });
  const connection = await session.connected;
  assert.ok(connection.agreed.has('BIG_WRITES'));
  device.requests.push(request(Opcode.RMDIR, cstring('d')));
  device.gone = true;
  device.deliver();
  assert.is(await session.ended, 'unmounted');
  assert.equal(device.written.map(errnoIn), [0, 0]);
  assert.equal([destroyed, device.closed], [1, 1]);
});

test('close answers who waits, and is idempotent', async () => {
  const { device, session } = start({ rmdir: () => session.close() });
  await session.connected;
  device.deliver(request(Opcode.RMDIR, cstring('d')));
  assert.is(await session.ended, 'closed');
  session.close();
  assert.is(device.closed, 1);
});

test('a parked request is answered at close', async () => {
  const parked = new Promise<void>((resolve) => {
    const { device, session } = start({
      rmdir: () => {
        setImmediate(async () => {
          assert.is(session.parkedCount, 1);
          session.close();
          assert.is(await session.ended, 'closed');
          assert.is(device.written.map(errnoIn).at(-1), Errno.ECONNABORTED);
          resolve();
        });
      },
    });
    device.deliver(request(Opcode.RMDIR, cstring('d')));
  });
  await parked;
});

test('a reply that the kernel refuses is replaced by EIO; a lost requester is no fault', async () => {
  const faults: string[] = [];
  const { device, session } = start(
    { rmdir: (_, reply) => reply.ok(), statfs: (_, reply) => reply.error(Errno.EIO) },
    { onFault: (operation) => faults.push(operation) },
  );
  await session.connected;
  device.failures.push(Errno.EINVAL, 0, Errno.ENOENT);
  device.requests.push(request(Opcode.RMDIR, cstring('d')), request(Opcode.RMDIR, cstring('e')));
  device.gone = true;
  device.deliver();
  await session.ended;
  assert.equal(device.written.map(errnoIn), [0, 0, Errno.EIO, 0]);
  assert.equal(faults, ['reply']);
});

test('a kernel too old ends the session with its reason', async () => {
  const device = new FakeDevice();
  device.deliver(request(Opcode.INIT, initBody(0, 0, 19)));
  const session = new Session(device, {}, { busyPollUs: 0 });
  session.start();
  const end = await session.ended;
  assert.ok(end instanceof Error);
  assert.match(end.message, /7\.19/);
});

test('notifications asked for in a handler follow its answer', async () => {
  const { device, session } = start({
    rmdir: (_, reply) => {
      session.notifier.pollWakeup(9);
      session.notifier.invalidateInode(3, 0, 0);
      reply.ok();
    },
  });
  await session.connected;
  device.requests.push(request(Opcode.RMDIR, cstring('d'), { unique: 6 }));
  device.gone = true;
  device.deliver();
  await session.ended;
  assert.equal(device.written[1], bytesOf(u32(16), u32(0), u64(6)));
  assert.equal(device.written[2], bytesOf(u32(24), u32(1), u64(0), u64(9)));
  assert.is(device.aside.length, 1);
});

test('hooks are called while idle, after a kick', async () => {
  let ticks = 0;
  const { session } = start(
    {},
    {
      hooks: {
        tick: () => {
          ticks++;
          return false;
        },
      },
    },
  );
  await session.connected;
  await new Promise((resolve) => setImmediate(resolve));
  const before = ticks;
  session.kick();
  assert.is(ticks, before);
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(ticks > before);
  session.close();
});

test.run();
