/** Which questions for attributes are refused opens: the kernel's decision, without a kernel. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../src/base/errno.js';
import { FIRST_FID, ROOT_FID } from '../../src/base/fid.js';
import { MAY_READ as R, MAY_WRITE as W, MAY_EXECUTE as X } from '../../src/base/permission.js';
import {
  type DeniedOpen,
  DeniedOpens,
  type Doubt,
  permits,
  wantedOf,
} from '../../src/client/denied-opens.js';
import { FORGOTTEN_MAX } from '../../src/client/limits.js';
import type { SystemCall } from '../../src/client/system-call.js';
import {
  CAP_DAC_OVERRIDE,
  CAP_DAC_READ_SEARCH,
  type Subject,
  type ThreadState,
} from '../../src/client/thread-state.js';
import type { Attributes, Connection } from '../../src/rpc/messages.js';

const FILE = 0o100000;
const DIRECTORY = 0o040000;
const O_RDONLY = 0;
const O_WRONLY = 1;
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_TRUNC = 0o1000;
const O_PATH = 0o10000000;
const O_TMPFILE = 0o20200000;

const ALL_IDS = [{ from: 0, count: 2 ** 32 - 1 }];
const NOBODY: Subject = { uid: 9, gid: 9, groups: [], capabilities: 0, uids: [], gids: [] };
const ROOT: Subject = {
  ...{ uid: 0, gid: 0, groups: [], uids: ALL_IDS, gids: ALL_IDS },
  capabilities: CAP_DAC_OVERRIDE | CAP_DAC_READ_SEARCH,
};
const CALLER = { uid: 9, gid: 9, pid: 100 };

function open(flags?: number): SystemCall {
  return { kind: 'open', flags };
}
const EXEC: SystemCall = { kind: 'exec' };

function attributes(mode: number, fid = FIRST_FID): Attributes {
  return { fid, mode, uid: 0, gid: 0 } as Attributes;
}

/** What is made of a thread in that call. */
class Harness {
  readonly doubts: Doubt[] = [];
  readonly denied: DeniedOpens;
  call: SystemCall | undefined = open(O_RDONLY);
  subject: Subject | undefined = NOBODY;
  acl: Uint8Array | undefined;

  constructor() {
    const threads = { systemCall: () => this.call, subject: () => this.subject };
    const mds = {
      call: (
        _method: string,
        _request: unknown,
        answer: (errno: number, value: unknown) => void,
      ) => (this.acl === undefined ? answer(Errno.ENODATA, undefined) : answer(0, this.acl)),
    };
    const onDoubt = (doubt: Doubt): number => this.doubts.push(doubt);
    this.denied = new DeniedOpens(
      mds as unknown as Connection,
      threads as unknown as ThreadState,
      onDoubt,
    );
  }

  /** Flags of the refused open, `unknown`, `no` open was refused, or what the doubt is. */
  asked(mode: number, call: SystemCall | undefined, fid = FIRST_FID): number | string {
    this.call = call;
    this.doubts.length = 0;
    const found = this.deniedOpen(attributes(mode, fid));
    if (found === undefined) return this.doubts[0] ?? 'no';
    assert.is(found.errno, Errno.EACCES);
    assert.equal(this.doubts, []);
    return found.flags ?? 'unknown';
  }

  deniedOpen(of: Attributes): DeniedOpen | undefined {
    const found: (DeniedOpen | undefined)[] = [];
    this.denied.asked(of, CALLER, (denied) => found.push(denied));
    assert.is(found.length, 1, 'answered once, and at once');
    return found[0];
  }
}

test('what an open wants of a file', () => {
  const wanted = (call: SystemCall) => wantedOf(call, FILE);
  assert.equal(wanted(open(O_RDONLY)), [R]);
  assert.equal(wanted(open(O_WRONLY)), [W]);
  assert.equal(wanted(open(O_RDWR)), [R | W]);
  assert.equal(wanted(open(3)), [R | W]);
  assert.equal(wanted(open(O_RDONLY | O_TRUNC)), [R | W]);
  assert.equal(wanted(open(O_WRONLY | O_CREAT | O_TRUNC)), [W]);
  assert.equal(wanted(open(O_PATH)), []);
  assert.equal(wanted(open()), [R, W]);
  assert.equal(wanted(EXEC), [X]);
  assert.equal(wanted({ kind: 'other' }), []);
});

test('what an open may want of a directory: to pass, to list, or to make something in it', () => {
  const wanted = (call: SystemCall) => wantedOf(call, DIRECTORY);
  assert.equal(wanted(open(O_RDONLY)), [X, R]);
  assert.equal(wanted(open(O_WRONLY)), [X]);
  assert.equal(wanted(open(O_RDWR | O_CREAT)), [X, W | X]);
  assert.equal(wanted(open(O_TMPFILE | O_RDWR)), [X, W | X]);
  assert.equal(wanted(open(O_PATH)), [X]);
  assert.equal(wanted(open()), [X, R, W | X]);
  assert.equal(wanted(EXEC), [X]);
});

test('capabilities override as in the kernel', () => {
  const may = (mode: number, subject: Subject, mask: number) =>
    permits({ mode, uid: 0, gid: 0 }, undefined, subject, mask);
  const searcher = { ...NOBODY, capabilities: CAP_DAC_READ_SEARCH, uids: ALL_IDS, gids: ALL_IDS };
  const overrider = { ...searcher, capabilities: CAP_DAC_OVERRIDE };
  assert.equal(
    [R, W, R | W].map((mask) => may(FILE, ROOT, mask)),
    [true, true, true],
  );
  assert.is(may(FILE, ROOT, X), false);
  assert.is(may(FILE | 0o001, overrider, X), true);
  assert.is(may(FILE | 0o010, overrider, X), true);
  assert.equal(
    [R, W, R | W, X].map((mask) => may(FILE, searcher, mask)),
    [true, false, false, false],
  );
  assert.equal(
    [R, W, X, W | X].map((mask) => may(DIRECTORY, overrider, mask)),
    [true, true, true, true],
  );
  assert.equal(
    [R, W, X, R | X].map((mask) => may(DIRECTORY, searcher, mask)),
    [true, false, true, true],
  );
  assert.equal(
    [R, W, X].map((mask) => may(FILE, NOBODY, mask)),
    [false, false, false],
  );
});

test('capabilities in a user namespace count for what it has ids for', () => {
  const subject = { ...ROOT, uid: 9, gid: 9, uids: [{ from: 100, count: 10 }], gids: ALL_IDS };
  const may = (uid: number) => permits({ mode: FILE, uid, gid: 0 }, undefined, subject, R);
  assert.equal([99, 100, 109, 110].map(may), [false, true, true, false]);
  const none = { ...subject, gids: [] };
  assert.is(permits({ mode: FILE, uid: 100, gid: 0 }, undefined, none, R), false);
});

test('a file that may not be opened so', () => {
  const h = new Harness();
  assert.is(h.asked(FILE | 0o640, open(O_RDONLY)), O_RDONLY);
  assert.is(h.asked(FILE | 0o644, open(O_RDWR)), O_RDWR);
  assert.is(h.asked(FILE | 0o644, open(O_RDONLY)), 'no');
  assert.is(h.asked(FILE | 0o644, EXEC), 0x20);
  assert.is(h.asked(FILE | 0o711, EXEC), 'no');
  assert.is(h.asked(FILE, open(O_PATH)), 'no');
  assert.is(h.asked(FILE, { kind: 'other' }), 'no');
  assert.is(h.asked(FILE, { kind: 'getxattr' }), 'no');
});

test('a file opened with flags that cannot be read', () => {
  const h = new Harness();
  assert.is(h.asked(FILE, open()), 'unknown');
  assert.is(h.asked(FILE | 0o644, open()), 'unclear');
  assert.is(h.asked(FILE | 0o646, open()), 'no');
});

test('an ACL counts as in the kernel', () => {
  const h = new Harness();
  // Version 2; user::rw-, user:9:r--, group::---, mask::rwx, other::---.
  const acl = Buffer.from('0200000001000600ffffffff020004000900000004000000ffffffff', 'hex');
  h.acl = Buffer.concat([acl, Buffer.from('10000700ffffffff20000000ffffffff', 'hex')]);
  assert.is(h.asked(FILE | 0o670, open(O_RDONLY)), 'no');
  assert.is(h.asked(FILE | 0o670, open(O_RDWR)), O_RDWR);
  h.acl = undefined;
  assert.is(h.asked(FILE | 0o670, open(O_RDONLY)), O_RDONLY);
});

test('a directory that neither lets pass nor may be listed', () => {
  const h = new Harness();
  assert.is(h.asked(DIRECTORY | 0o700, open(O_RDONLY), ROOT_FID), O_RDONLY);
  assert.is(h.asked(DIRECTORY | 0o755, open(O_RDONLY), ROOT_FID), 'no');
  assert.is(h.asked(DIRECTORY | 0o744, EXEC, ROOT_FID), 0x20);
  assert.is(h.asked(DIRECTORY | 0o744, open(O_PATH), ROOT_FID), O_PATH);
});

test('one of which the kernel knew the attributes: it asks because of a refusal', () => {
  const h = new Harness();
  assert.is(h.asked(DIRECTORY | 0o711, open(O_RDONLY)), O_RDONLY);
  assert.is(h.asked(DIRECTORY | 0o744, open(O_RDONLY)), O_RDONLY);
  assert.is(h.asked(DIRECTORY | 0o755, open(O_WRONLY | O_CREAT)), O_WRONLY | O_CREAT);
});

test('a directory that takes no new file: the refusal holds if the file is missing', () => {
  const h = new Harness();
  const ifMissing = (mode: number, call: SystemCall): boolean | undefined => {
    h.call = call;
    return h.deniedOpen(attributes(mode))?.ifMissing;
  };
  assert.is(ifMissing(DIRECTORY | 0o755, open(O_WRONLY | O_CREAT)), true);
  assert.is(ifMissing(DIRECTORY | 0o755, open()), true, 'openat2');
  assert.is(ifMissing(DIRECTORY | 0o755, open(O_TMPFILE | O_RDWR)), false);
  assert.is(ifMissing(DIRECTORY | 0o744, open(O_WRONLY | O_CREAT)), false, 'not searched either');
  assert.is(ifMissing(DIRECTORY | 0o711, open(O_RDONLY)), false);
  assert.is(ifMissing(DIRECTORY | 0o700, open()), false);
  assert.is(ifMissing(FILE | 0o644, open(O_WRONLY | O_CREAT)), false);
});

test('one of which it may have forgotten them leaves a doubt, until it has got them', () => {
  const h = new Harness();
  assert.is(h.asked(DIRECTORY | 0o711, open(O_RDONLY), ROOT_FID), 'unclear');
  h.denied.learns(ROOT_FID);
  assert.is(h.asked(DIRECTORY | 0o711, open(O_RDONLY), ROOT_FID), O_RDONLY);
  h.denied.forgets(FIRST_FID);
  assert.is(h.asked(DIRECTORY | 0o711, open(O_RDONLY)), 'unclear');
  h.denied.learns(FIRST_FID);
  assert.is(h.asked(DIRECTORY | 0o711, open(O_RDONLY)), O_RDONLY);
});

test('with more forgotten than are remembered every such question leaves a doubt', () => {
  const h = new Harness();
  for (let i = 1; i <= FORGOTTEN_MAX; i++) h.denied.forgets((FIRST_FID + i) as typeof FIRST_FID);
  assert.is(h.asked(DIRECTORY | 0o711, open(O_RDONLY)), 'unclear');
  assert.is(h.asked(DIRECTORY | 0o700, open(O_RDONLY)), O_RDONLY);
});

test('a caller that may not be looked at is counted where it may be a refusal', () => {
  const h = new Harness();
  assert.is(h.asked(FILE | 0o640, undefined), 'unreadable');
  assert.is(h.asked(FILE | 0o644, undefined), 'unreadable');
  assert.is(h.asked(FILE | 0o646, undefined), 'no');
  assert.is(h.asked(DIRECTORY | 0o755, undefined), 'no');
  assert.is(h.asked(DIRECTORY | 0o744, undefined), 'unreadable');
  h.subject = undefined;
  assert.is(h.asked(FILE | 0o640, open(O_RDONLY)), 'unreadable');
  assert.is(h.asked(FILE | 0o646, open(O_RDONLY)), 'no');
});

test('a caller that acts with the rights of another leaves a doubt', () => {
  const h = new Harness();
  h.subject = { ...NOBODY, uid: 8 };
  assert.is(h.asked(FILE | 0o640, open(O_RDONLY)), 'unclear');
  h.subject = { ...NOBODY, gid: 8 };
  assert.is(h.asked(FILE | 0o640, open(O_RDONLY)), 'unclear');
});

test.run();
