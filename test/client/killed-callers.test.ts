/** Who is killed while no server answers, and what becomes of its request. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../src/base/errno.js';
import { isThreadKilled, KilledCallers } from '../../src/client/killed-callers.js';
import type { Reply, Request } from '../../src/fuse/api.js';
import type { Answer, Connection } from '../../src/rpc/messages.js';

const REQUEST: Request = { unique: 1, nodeId: 1, caller: { uid: 0, gid: 0, pid: 7 } };

class TestReply implements Reply {
  readonly answers: Errno[] = [];
  signal = (): void => {};

  get answered(): boolean {
    return this.answers.length > 0;
  }

  error(errno: Errno): void {
    this.answers.push(errno);
  }

  abandon(errno: Errno): void {
    this.answers.push(errno);
  }

  whenSignalled(tell: () => void): void {
    this.signal = tell;
  }
}

function caseOf(options: { sent: boolean }) {
  let killed = false;
  let answer: Answer<'getattr'> = () => {};
  const asked: string[] = [];
  const mds: Connection = {
    call: () => {},
    withdrawable: (method, _request, done) => {
      asked.push(method);
      answer = done as Answer<'getattr'>;
      return () => {
        if (!options.sent) done(Errno.EINTR, undefined);
        return !options.sent;
      };
    },
    onNotice: () => {},
  };
  const callers = new KilledCallers(mds, () => killed);
  const reply = new TestReply();
  const serve = (isLook: boolean) =>
    callers.serve((_request: Request, to: TestReply) => {
      callers.connection.call('getattr', { fid: 3 as never }, (errno) => {
        if (errno !== 0) return to.error(errno);
        callers.connection.call('getattr', { fid: 4 as never }, (next) =>
          to.error(next || Errno.EIO),
        );
      });
    }, isLook)(REQUEST, reply);
  const kill = () => {
    killed = true;
  };
  return { callers, reply, asked, serve, kill, answer: () => answer(0, undefined) };
}

test('a look ends with its caller, and with no signal that the caller handles', () => {
  const the = caseOf({ sent: true });
  the.serve(true);
  the.reply.signal();
  assert.equal([the.reply.answers, the.callers.pending], [[], true]);
  the.kill();
  the.callers.tick();
  assert.equal([the.reply.answers, the.callers.pending], [[Errno.EINTR], false]);
});

test('a change that was not sent is taken back', () => {
  const the = caseOf({ sent: false });
  the.kill();
  the.serve(false);
  the.reply.signal();
  assert.equal([the.reply.answers, the.callers.pending], [[Errno.EINTR], false]);
});

test('a change that was sent is waited for; what it asks next is its own too', () => {
  const options = { sent: true };
  const the = caseOf(options);
  the.kill();
  the.serve(false);
  the.reply.signal();
  assert.equal([the.reply.answers, the.callers.pending], [[], true]);
  the.answer();
  assert.equal(the.asked, ['getattr', 'getattr']);
  options.sent = false;
  the.callers.tick();
  assert.equal([the.reply.answers, the.callers.pending], [[Errno.EINTR], false]);
});

test('SIGKILL is pending, or the thread cannot be looked at', () => {
  const status = (pending: string) => () => `Name:\tx\nSigPnd:\t${pending}\nShdPnd:\t0\n`;
  assert.is(isThreadKilled(7, status('0000000000000100')), true);
  assert.is(isThreadKilled(7, status('0000000000000002')), false);
  const refuse = () => {
    throw new Error('ENOENT');
  };
  assert.is(isThreadKilled(7, refuse), true);
});

test.run();
