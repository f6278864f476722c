/**
 * The same two files as peers/one-file.c, on our own session: what the session
 * itself costs, without a filesystem behind it.
 *
 * Usage: node one-file.js MOUNTPOINT BUSY_POLL_US
 */
import { must } from '../../src/base/assert.js';
import { Errno } from '../../src/base/errno.js';
import { S_IFDIR, S_IFREG } from '../../src/base/mode.js';
import {
  type Attr,
  FOPEN_DIRECT_IO,
  type Handlers,
  mountFuse,
  Session,
} from '../../src/fuse/index.js';

const ROOT = 1;
const TEST = 2;
const QUIET = 3;
const TEXT = Buffer.from('hello world');
/** Where data begin in `test`, so that an answer is told from the kernel's own. */
const DATA_AT = 7;
const VALID_MS = 3_600_000;
const READABLE = 1;

function attrOf(ino: number): Attr {
  const time = { sec: 0, nsec: 0 };
  return {
    ino,
    size: ino === TEST ? TEXT.length : 0,
    blocks: 0,
    atime: time,
    mtime: time,
    ctime: time,
    mode: ino === ROOT ? S_IFDIR | 0o755 : S_IFREG | 0o644,
    nlink: 1,
    uid: 0,
    gid: 0,
    rdev: 0,
    blksize: 4096,
  };
}

const handlers: Handlers = {
  lookup({ name }, reply) {
    const ino = name === 'test' ? TEST : name === 'quiet' ? QUIET : undefined;
    if (ino === undefined) reply.error(Errno.ENOENT);
    else
      reply.entry({
        nodeId: ino,
        generation: 0,
        entryValidMs: VALID_MS,
        attrValidMs: VALID_MS,
        attr: attrOf(ino),
      });
  },
  getattr({ nodeId }, reply) {
    reply.attr(attrOf(nodeId), VALID_MS);
  },
  open({ nodeId }, reply) {
    reply.open({ fh: nodeId, flags: FOPEN_DIRECT_IO });
  },
  read({ fh, offset, size }, reply) {
    if (fh === QUIET) reply.onInterrupt(() => reply.error(Errno.EINTR));
    else reply.data(TEXT.subarray(Math.min(offset, TEXT.length), offset + size));
  },
  lseek({ offset }, reply) {
    reply.offset(Math.max(offset, DATA_AT));
  },
  poll({ fh }, reply) {
    reply.events(fh === QUIET ? 0 : READABLE);
  },
};

const mountpoint = must(process.argv[2], 'mountpoint');
const device = await mountFuse({ mountpoint, fsname: 'one-file', subtype: 'one-file' });
const session = new Session(device, handlers, {
  busyPollUs: Number(must(process.argv[3], 'budget')),
});
session.start();
const end = await session.ended;
if (end instanceof Error) throw end;
