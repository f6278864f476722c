/** What the kernel is told when things are missing, unknown, interrupted or over. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../src/base/errno.js';
import type * as api from '../../src/fuse/api.js';
import { Opcode } from '../../src/fuse/wire/abi.js';
import { bytesOf, cstring, errnoIn, Harness, request, u32, u64, uniqueIn } from './support.js';

const read = (unique: number) =>
  request(Opcode.READ, bytesOf(u64(1), u64(0), u32(10), u32(0), u64(0), u32(0), u32(0)), {
    unique,
  });
const interrupt = (unique: number) =>
  request(Opcode.INTERRUPT, u64(unique), { unique: unique + 1 });

test('an operation without a handler is ENOSYS', () => {
  const harness = new Harness({});
  assert.is(errnoIn(harness.ask(read(2))), Errno.ENOSYS);
  assert.is(harness.faults.length, 0);
});

test('handlers are methods: `this` is their object', () => {
  class Filesystem implements api.Handlers {
    readonly errno = Errno.EXDEV;
    rmdir(_: api.RmdirRequest, reply: api.EmptyReply): void {
      reply.error(this.errno);
    }
  }
  const harness = new Harness(new Filesystem());
  assert.is(errnoIn(harness.ask(request(Opcode.RMDIR, cstring('d')))), Errno.EXDEV);
});

test('an unknown opcode is ENOSYS, and reported once', () => {
  const harness = new Harness({});
  for (const opcode of [7, 7, 99, 4096]) {
    assert.is(errnoIn(harness.ask(request(opcode))), Errno.ENOSYS);
  }
  assert.equal(
    harness.faults.map(([operation]) => operation),
    ['opcode 7', 'opcode 99', 'opcode 4096'],
  );
});

test('a malformed request is EPROTO and never reaches its handler', () => {
  const harness = new Harness({ lookup: () => assert.unreachable() });
  assert.is(errnoIn(harness.ask(request(Opcode.LOOKUP, Buffer.from('no NUL')))), Errno.EPROTO);
});

test('a request with a bad header is EPROTO and reported; half a header is dropped', () => {
  const harness = new Harness({});
  assert.is(errnoIn(harness.ask(bytesOf(request(Opcode.STATFS), u32(0)))), Errno.EPROTO);
  harness.deliver(request(Opcode.STATFS).subarray(0, 39));
  assert.is(harness.sent.length, 0);
  assert.is(harness.faults.length, 2);
});

test('FORGET and BATCH_FORGET are never answered, good or bad', () => {
  const forgotten: api.ForgetItem[] = [];
  const harness = new Harness({ forget: (items) => forgotten.push(...items) });
  harness.deliver(request(Opcode.FORGET, u64(3), { nodeId: 17 }));
  harness.deliver(request(Opcode.BATCH_FORGET, bytesOf(u32(1), u32(0), u64(18), u64(2))));
  harness.deliver(request(Opcode.FORGET, u32(3), { nodeId: 19 }));
  assert.equal(forgotten, [
    { nodeId: 17, nlookup: 3 },
    { nodeId: 18, nlookup: 2 },
  ]);
  assert.is(harness.sent.length, 0);

  const throwing = new Harness({
    forget: () => {
      throw new TypeError('bug');
    },
  });
  throwing.deliver(request(Opcode.FORGET, u64(3)));
  assert.is(throwing.sent.length, 0);
  assert.is(throwing.faults.length, 1);
});

test('an interrupted read is cancelled once', () => {
  let cancelled = 0;
  const harness = new Harness({
    read: (_, reply) =>
      reply.onInterrupt(() => {
        cancelled++;
        reply.error(Errno.EINTR);
      }),
  });
  harness.deliver(read(10));
  const reply = harness.ask(interrupt(10));
  assert.equal([uniqueIn(reply), errnoIn(reply)], [10n, Errno.EINTR]);
  assert.is(harness.dispatcher.parkedCount, 0);
  harness.deliver(interrupt(10));
  assert.is(cancelled, 1);
});

test('an interrupt that comes before its cancel is remembered', () => {
  let parked: api.InterruptibleDataReply | undefined;
  const harness = new Harness({
    read: (_, reply) => {
      parked = reply;
    },
  });
  harness.deliver(read(10));
  harness.deliver(interrupt(10));
  assert.is(harness.sent.length, 0, 'who gave no cancel answers in his own time');
  parked?.onInterrupt(() => parked?.error(Errno.EINTR));
  assert.equal(harness.take().map(errnoIn), [Errno.EINTR]);
});

test('a cancel that does not answer, or throws: EINTR all the same, and late answers are void', () => {
  for (const cancel of [
    () => undefined,
    () => {
      throw new TypeError('bug');
    },
  ]) {
    let parked: api.InterruptibleDataReply | undefined;
    const harness = new Harness({
      read: (_, reply) => {
        parked = reply;
        reply.onInterrupt(cancel);
      },
    });
    harness.deliver(read(10));
    harness.deliver(interrupt(10));
    assert.equal(harness.take().map(errnoIn), [Errno.EINTR]);
    parked?.data(Buffer.from('late'));
    parked?.error(Errno.EIO);
    assert.is(harness.take().length, 0);
    assert.is(parked?.answered, true);
  }
});

test('an interrupt of a request that is not there is queued again by EAGAIN', () => {
  const harness = new Harness({ read: (_, reply) => reply.data(Buffer.alloc(0)) });
  const early = harness.ask(interrupt(10));
  assert.equal([uniqueIn(early), errnoIn(early)], [11n, Errno.EAGAIN]);
  harness.ask(read(10));
  assert.is(errnoIn(harness.ask(interrupt(10))), Errno.EAGAIN, 'answered: the kernel drops it');
});

test('at the end every waiting request is answered', () => {
  let told = 0;
  const harness = new Harness({
    read: (asked, reply) => {
      if (asked.unique === 10) {
        reply.onInterrupt(() => {
          told++;
          reply.error(Errno.EINTR);
        });
      }
    },
  });
  harness.deliver(read(10));
  harness.deliver(read(12));
  harness.dispatcher.abandonParked(Errno.ECONNABORTED);
  assert.equal(harness.take().map(errnoIn), [Errno.EINTR, Errno.ECONNABORTED]);
  assert.equal([told, harness.dispatcher.parkedCount], [1, 0]);
});

test('DESTROY is answered; a reply to a RETRIEVE never sent is not', () => {
  const harness = new Harness({});
  assert.is(errnoIn(harness.ask(request(Opcode.DESTROY))), 0);
  harness.deliver(request(Opcode.NOTIFY_REPLY, Buffer.alloc(40)));
  assert.is(harness.sent.length, 0);
});

test.run();
