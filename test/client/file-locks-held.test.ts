/** What a mount's programs have locked beside other mounts, above all after a wait that was interrupted. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../src/base/errno.js';
import type { Fid } from '../../src/base/fid.js';
import { FileLocksHeld } from '../../src/client/file-locks-held.js';
import { FileLockTable } from '../../src/mds/file-locks/file-lock-table.js';
import type { Connection, FileLockWanted, Method, RequestOf } from '../../src/rpc/messages.js';
import type { ClientId } from '../../src/rpc/session.js';

const FILE = 77 as Fid;
const HERE = 'a'.repeat(32) as ClientId;
const ELSEWHERE = 'b'.repeat(32) as ClientId;

/** A mount with the server's table; a cancel comes too late if the lock was given before. */
class Mount {
  readonly table = new FileLockTable();
  /** Answers that are on their way. */
  #late: (() => void)[] = [];
  holdsAnswers = false;
  readonly locks: FileLocksHeld;

  constructor() {
    const ask = (method: Method, request: unknown, done: (errno: Errno | 0) => void) => {
      if (method === 'fileLockRelease') {
        this.table.release(HERE, request as RequestOf<'fileLockRelease'>);
        done(0);
        return () => {};
      }
      return this.table.lock(HERE, request as RequestOf<'fileLock'>, (errno) => {
        if (this.holdsAnswers) this.#late.push(() => done(errno));
        else done(errno);
      });
    };
    const mds = { call: ask, cancellable: ask };
    this.locks = new FileLocksHeld(mds as unknown as Connection);
  }

  take(wanted: FileLockWanted, wait = false) {
    const call: { outcome: Errno | 0 | undefined; giveUp: () => void } = {
      outcome: undefined,
      giveUp: () => {},
    };
    call.giveUp = this.locks.take(1, wanted, wait, (errno) => {
      call.outcome = errno;
    });
    return call;
  }

  deliver(): void {
    this.holdsAnswers = false;
    for (const answer of this.#late.splice(0)) answer();
  }

  /** What others see of the first twenty bytes: `.` free, `r` shared, `w` exclusive. */
  seen(flock = false): string {
    const end = flock ? 0 : 19;
    return Array.from({ length: end + 1 }, (_, at) => {
      const asked = { ...lock('exclusive', at, at), owner: 99n, flock };
      const { type } = this.table.test(ELSEWHERE, asked);
      return type === 'none' ? '.' : type === 'shared' ? 'r' : 'w';
    }).join('');
  }

  /** The same, as it is noted here for a server that starts again. */
  noted(): string {
    const bytes = new Array<string>(20).fill('.');
    for (const { start, end, exclusive } of this.locks.held()) {
      bytes.fill(exclusive ? 'w' : 'r', start, end + 1);
    }
    return bytes.join('');
  }
}

function lock(type: FileLockWanted['type'], start: number, end: number): FileLockWanted {
  return { fid: FILE, owner: 5n, flock: false, type, start, end, pid: 1 };
}

test('an interrupted wait that was given meanwhile leaves what was held before', () => {
  const mount = new Mount();
  mount.take(lock('shared', 2, 6));
  mount.take(lock('exclusive', 9, 11));
  mount.take(lock('shared', 15, 19));
  const before = '..rrrrr..www...rrrrr';
  assert.is(mount.seen(), before);
  mount.holdsAnswers = true;
  const upgrade = mount.take(lock('exclusive', 4, 16), true);
  assert.is(mount.seen(), '..rrwwwwwwwwwwwwwrrr', 'the server has given it');
  upgrade.giveUp();
  mount.deliver();
  assert.is(mount.seen(), before);
  assert.is(mount.noted(), before);
});

test('an interrupted wait that was not given changes nothing', () => {
  const mount = new Mount();
  mount.take(lock('shared', 0, 9));
  const request = { ...lock('shared', 0, 9), owner: 8n, wait: false };
  mount.table.lock(ELSEWHERE, request, () => {});
  const upgrade = mount.take(lock('exclusive', 0, 9), true);
  upgrade.giveUp();
  assert.is(upgrade.outcome, Errno.EINTR);
  assert.is(mount.noted(), 'rrrrrrrrrr..........');
});

test('a flock that asks for the other kind has lost its own, whatever comes of it', () => {
  for (const wait of [false, true]) {
    const mount = new Mount();
    const flock = { ...lock('shared', 0, 19), flock: true };
    mount.take(flock);
    mount.table.lock(ELSEWHERE, { ...flock, owner: 8n, wait: false }, () => {});
    const upgrade = mount.take({ ...flock, type: 'exclusive' }, wait);
    upgrade.giveUp();
    assert.is(upgrade.outcome, wait ? Errno.EINTR : Errno.EAGAIN);
    assert.is(mount.locks.held().length, 0);
  }
  const mount = new Mount();
  const flock = { ...lock('shared', 0, 19), flock: true };
  mount.take(flock);
  mount.holdsAnswers = true;
  const upgrade = mount.take({ ...flock, type: 'exclusive' }, true);
  upgrade.giveUp();
  mount.deliver();
  assert.is(mount.seen(true), '.');
  assert.is(mount.locks.held().length, 0);
});

test.run();
