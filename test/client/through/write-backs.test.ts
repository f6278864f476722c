/** Writes of mappings that go through the server. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../../src/base/errno.js';
import type { Fid } from '../../../src/base/fid.js';
import { WRITE_BACK_BYTES_MAX } from '../../../src/client/through/limits.js';
import { ThroughFiles } from '../../../src/client/through/through-files.js';
import type { Answer, Attributes, Connection, RequestOf } from '../../../src/rpc/messages.js';

const AUTHOR = {
  who: { uid: 0, gid: 0, pid: 1, jobid: '', nid: '0@lo' },
  killSuidgid: false,
} as const;
const PART = WRITE_BACK_BYTES_MAX / 4;
const TIME = { seconds: 1, nanoseconds: 0 };

/** A server that answers when the test says so. */
class Asked {
  readonly owed = new Set<Fid>();
  readonly #answers: ((errno: Errno | 0) => void)[] = [];
  readonly files = new ThroughFiles({
    mds: { call: (method, request, answer) => this.#call(method, request, answer) } as Connection,
    coherence: { isOwed: (fid) => this.owed.has(fid) },
  });

  /** The oldest request that has no answer. */
  answer(errno: Errno | 0): void {
    const answer = this.#answers.shift();
    assert.ok(answer !== undefined, 'nothing was asked');
    answer(errno);
  }

  answerAll(): void {
    while (this.#answers.length > 0) this.answer(0);
  }

  open(fid: number) {
    const attributes = { fid: fid as Fid, size: 0, mtime: TIME, layout: 'object', generation: 1 };
    return this.files.acquire(attributes as unknown as Attributes);
  }

  #call(method: string, request: unknown, answer: unknown): void {
    assert.is(method, 'dataWrite');
    const count = (request as RequestOf<'dataWrite'>).bytes.byteLength;
    this.#answers.push((errno) =>
      (answer as Answer<'dataWrite'>)(errno as 0, errno === 0 ? { count } : (undefined as never)),
    );
  }
}

function synced(asked: Asked, file: ReturnType<Asked['open']>): (Errno | 0)[] {
  const told: (Errno | 0)[] = [];
  asked.files.record(file, (errno) => told.push(errno));
  return told;
}

function ignore(): void {}

test('when too much is on its way the next is held; a recall of any file takes all', () => {
  const asked = new Asked();
  const file = asked.open(1);
  const other = asked.open(2);
  let taken = 0;
  const write = (at: number) =>
    asked.files.writeBack(file, at * PART, new Uint8Array(PART), AUTHOR, () => taken++);
  for (let at = 0; at < 6; at++) write(at);
  assert.is(taken, 4, 'two are held');
  asked.owed.add(other.fid);
  asked.files.flush(other.fid, ignore);
  assert.is(taken, 6);
  write(6);
  assert.is(taken, 7, 'nor is one held that comes while the kernel drops its pages');
  asked.owed.clear();
  write(7);
  assert.is(taken, 7, 'after it the limit holds again');
  asked.answerAll();
  assert.is(taken, 8);
  assert.equal(synced(asked, file), [0]);
});

test('what failed is told by the next sync of that file, and once', () => {
  const asked = new Asked();
  const file = asked.open(1);
  const other = asked.open(2);
  for (const at of [0, 1]) asked.files.writeBack(file, at, new Uint8Array(1), AUTHOR, ignore);
  asked.answer(Errno.ENOSPC);
  asked.answer(Errno.EIO);
  assert.equal(synced(asked, other), [0]);
  assert.equal(synced(asked, file), [Errno.ENOSPC], 'the first');
  assert.equal(synced(asked, file), [0]);
});

test('of a file that was closed meanwhile, by the next sync of everything', () => {
  const asked = new Asked();
  const file = asked.open(1);
  asked.files.writeBack(file, 0, new Uint8Array(1), AUTHOR, ignore);
  asked.files.release(file);
  asked.answer(Errno.ENOSPC);
  const told: (Errno | 0)[] = [];
  asked.files.recordAll((errno) => told.push(errno));
  asked.files.recordAll((errno) => told.push(errno));
  assert.equal(told, [Errno.ENOSPC, 0]);
});

test.run();
