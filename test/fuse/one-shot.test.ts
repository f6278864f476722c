/** A request has one answer, whoever gives it and when. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno, FsError } from '../../src/base/errno.js';
import type * as api from '../../src/fuse/api.js';
import { Opcode } from '../../src/fuse/wire/abi.js';
import { cstring, errnoIn, Harness, request, uniqueIn } from './support.js';

test('a second answer throws, and is not sent', () => {
  let held: api.EmptyReply | undefined;
  const harness = new Harness({
    rmdir: (_, reply) => {
      held = reply;
      assert.is(reply.answered, false);
      reply.ok();
      assert.is(reply.answered, true);
    },
  });
  assert.is(errnoIn(harness.ask(request(Opcode.RMDIR, cstring('d')))), 0);
  assert.throws(() => held?.ok(), /answered twice/);
  assert.throws(() => held?.error(Errno.EIO), /answered twice/);
  assert.is(harness.take().length, 0);
});

test('a handler that throws: its errno, or EIO and a fault', () => {
  const harness = new Harness({
    rmdir: () => {
      throw new FsError(Errno.EBUSY, 'test');
    },
    unlink: () => {
      throw new TypeError('bug');
    },
    statfs: (_, reply) => {
      reply.error(Errno.EACCES);
      throw new TypeError('after the answer');
    },
  });
  assert.is(errnoIn(harness.ask(request(Opcode.RMDIR, cstring('d')))), Errno.EBUSY);
  assert.is(harness.faults.length, 0);
  assert.is(errnoIn(harness.ask(request(Opcode.UNLINK, cstring('d')))), Errno.EIO);
  assert.is(harness.faults.length, 1);
  assert.is(errnoIn(harness.ask(request(Opcode.STATFS))), Errno.EACCES);
  assert.is(harness.faults.length, 2);
});

test('an answer may come later, and another before it', () => {
  const held: api.WriteReply[] = [];
  const harness = new Harness({ copyFileRange: (_, reply) => held.push(reply) });
  harness.deliver(request(Opcode.COPY_FILE_RANGE, Buffer.alloc(56), { unique: 10 }));
  harness.deliver(request(Opcode.COPY_FILE_RANGE, Buffer.alloc(56), { unique: 12 }));
  assert.is(harness.dispatcher.parkedCount, 2);
  assert.is(harness.sent.length, 0);
  held[1]?.written(2);
  held[0]?.written(1);
  assert.equal(harness.take().map(uniqueIn), [12n, 10n]);
  assert.is(harness.dispatcher.parkedCount, 0);
});

test.run();
