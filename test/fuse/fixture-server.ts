/**
 * A mounted filesystem whose files misbehave on purpose; mounted.test.ts runs
 * it as a child and follows its one-word-per-line report on stdout.
 *
 * | file   | its behaviour                                                             |
 * |--------|---------------------------------------------------------------------------|
 * | block  | a read waits until it is interrupted                                        |
 * | ready  | not readable until `wake` is looked up; then its waiters are woken          |
 * | wake   | its LOOKUP wakes the waiters of `ready`                                     |
 * | dir/x  | its LOOKUP queues an invalidation of itself and waits for that of `release` |
 * | close  | its LOOKUP closes the session                                              |
 */
import { Errno } from '../../src/base/errno.js';
import { S_IFDIR, S_IFREG } from '../../src/base/mode.js';
import { nameFromText } from '../../src/base/name.js';
import { ZERO_TIME } from '../../src/base/time.js';
import type * as api from '../../src/fuse/api.js';
import { FOPEN_DIRECT_IO, FUSE_ROOT_ID, mountFuse, Session } from '../../src/fuse/index.js';

const POLLIN = 1;
const DIR = 2;
const NAMES = ['block', 'ready', 'wake', 'release', 'close'];

function report(word: string): void {
  process.stdout.write(`${word}\n`);
}

function entry(nodeId: number): api.Entry {
  const directory = nodeId === FUSE_ROOT_ID || nodeId === DIR;
  const attr: api.Attr = {
    ino: nodeId,
    size: 0,
    blocks: 0,
    atime: ZERO_TIME,
    mtime: ZERO_TIME,
    ctime: ZERO_TIME,
    mode: directory ? S_IFDIR | 0o755 : S_IFREG | 0o644,
    nlink: 1,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    rdev: 0,
    blksize: 4096,
  };
  return { nodeId, generation: 0, entryValidMs: 0, attrValidMs: 0, attr };
}

class Fixture implements api.Handlers {
  #ready = false;
  readonly #pollHandles = new Set<number>();
  #held: api.EntryReply | undefined;

  lookup({ nodeId, name }: api.LookupRequest, reply: api.EntryReply): void {
    if (nodeId === DIR) {
      this.#held = reply;
      session.notifier.invalidateEntry(DIR, nameFromText('x'));
      report('held');
      return;
    }
    const index = NAMES.indexOf(name);
    if (name === 'wake') this.#wake();
    if (name === 'release') this.#held?.error(Errno.ENOENT);
    if (name === 'close') session.close();
    else if (name === 'dir') reply.entry(entry(DIR));
    else if (index < 0) reply.error(Errno.ENOENT);
    else reply.entry(entry(10 + index));
  }

  getattr({ nodeId }: api.GetattrRequest, reply: api.AttrReply): void {
    reply.attr(entry(nodeId).attr, 0);
  }

  open({ nodeId }: api.OpenRequest, reply: api.OpenReply): void {
    reply.open({ fh: nodeId, flags: FOPEN_DIRECT_IO });
  }

  read(_request: api.ReadRequest, reply: api.InterruptibleDataReply): void {
    reply.onInterrupt(() => {
      report('interrupted');
      reply.error(Errno.EINTR);
    });
    report('parked');
  }

  poll({ kh, scheduleNotify }: api.PollRequest, reply: api.PollReply): void {
    if (scheduleNotify) this.#pollHandles.add(kh);
    reply.events(this.#ready ? POLLIN : 0);
    report('polled');
  }

  #wake(): void {
    this.#ready = true;
    for (const kh of this.#pollHandles) session.notifier.pollWakeup(kh);
  }
}

const [mountpoint = ''] = process.argv.slice(2);
const device = await mountFuse({ mountpoint, fsname: 'fixture', subtype: 'fixture' });
const session = new Session(device, new Fixture());
session.start();
await session.connected;
report('mounted');
report(String(await session.ended));
