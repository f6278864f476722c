/**
 * A mounted filesystem whose state is changed behind the kernel's back; coherence.test.ts runs it
 * as a child, and says on stdin, a line each, what to do. It answers every line with `did`, and
 * reports every request. Names, attributes and pages may be kept for an hour.
 *
 * | line               | what it does                                                        |
 * |--------------------|---------------------------------------------------------------------|
 * | `set SIZE BYTE`    | file `f` has this size and consists of this byte from now on        |
 * | `make NAME`        | the name exists from now on                                         |
 * | `hold OPERATION`   | the next such request waits (`held` tells of it)                    |
 * | `release`          | answers it                                                          |
 * | `epoch`            | names are to be looked up again (`epoch true`, or false)            |
 * | `inode NODE OFF`   | invalidates from there (`told ERRNO` when it is done)               |
 * | `fence`            | `fenced` when everything before is done                             |
 * | `code N`           | writes a notification of that code without a body (`wrote ERRNO`)   |
 */
import * as readline from 'node:readline';
import { Errno } from '../../src/base/errno.js';
import { S_IFDIR, S_IFREG } from '../../src/base/mode.js';
import { ZERO_TIME } from '../../src/base/time.js';
import type * as api from '../../src/fuse/api.js';
import { FUSE_ROOT_ID, mountFuse, Session } from '../../src/fuse/index.js';

const VALID_MS = 3_600_000;
const FOPEN_KEEP_CACHE = 2;
const DIR = 2;
const FILE = 3;
const FIRST_MADE = 10;

function report(text: string): void {
  process.stdout.write(`${text}\n`);
}

class Fixture implements api.Handlers {
  readonly names = new Map<string, number>([
    ['f', FILE],
    ['d', DIR],
  ]);
  size = 5;
  byte = 'a';
  #hold: string | undefined;
  #held: (() => void) | undefined;

  hold(operation: string): void {
    this.#hold = operation;
  }

  release(): void {
    this.#held?.();
    this.#held = undefined;
  }

  make(name: string): number {
    const node = this.names.get(name) ?? FIRST_MADE + this.names.size;
    this.names.set(name, node);
    return node;
  }

  lookup({ name }: api.LookupRequest, reply: api.EntryReply): void {
    const node = this.names.get(name);
    // What it says is what was so when it came.
    const found = node === undefined ? { ...this.#entry(FILE), nodeId: 0 } : this.#entry(node);
    this.#answer('lookup', name, () => reply.entry(found));
  }

  create({ name }: api.CreateRequest, reply: api.CreateReply): void {
    this.#answer('create', name, () => {
      reply.created(this.#entry(this.make(name)), { fh: 1, flags: FOPEN_KEEP_CACHE });
    });
  }

  getattr({ nodeId }: api.GetattrRequest, reply: api.AttrReply): void {
    const { attr } = this.#entry(nodeId);
    this.#answer('getattr', String(nodeId), () => reply.attr(attr, VALID_MS));
  }

  open(_request: api.OpenRequest, reply: api.OpenReply): void {
    reply.open({ fh: 1, flags: FOPEN_KEEP_CACHE });
  }

  read({ offset, size }: api.ReadRequest, reply: api.InterruptibleDataReply): void {
    const count = Math.max(0, Math.min(size, this.size - offset));
    const data = Buffer.alloc(count, this.byte);
    this.#answer('read', String(offset), () => reply.data(data));
  }

  flush(_request: api.FlushRequest, reply: api.EmptyReply): void {
    reply.ok();
  }

  #answer(operation: string, of: string, answer: () => void): void {
    report(`${operation} ${of}`);
    if (this.#hold !== operation) return answer();
    this.#hold = undefined;
    this.#held = answer;
    report('held');
  }

  #entry(nodeId: number): api.Entry {
    const directory = nodeId === FUSE_ROOT_ID || nodeId === DIR;
    const attr: api.Attr = {
      ino: nodeId,
      size: nodeId === FILE ? this.size : 0,
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
    return { nodeId, generation: 0, entryValidMs: VALID_MS, attrValidMs: VALID_MS, attr };
  }
}

const [mountpoint = ''] = process.argv.slice(2);
const device = await mountFuse({ mountpoint, fsname: 'fixture', subtype: 'fixture' });
const fixture = new Fixture();
const session = new Session(device, fixture);

function writeCode(code: number): void {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeInt32LE(code, 4);
  device.writeAside(bytes, (errno) => report(`wrote ${errno}`));
}

const commands: Readonly<Record<string, (first: string, second: string) => void>> = {
  set: (size, byte) => {
    fixture.size = Number(size);
    fixture.byte = byte;
  },
  make: (name) => void fixture.make(name),
  hold: (operation) => fixture.hold(operation),
  release: () => fixture.release(),
  epoch: () => report(`epoch ${session.notifier.incrementEpoch()}`),
  inode: (node, offset) =>
    session.notifier.invalidateInode(Number(node), Number(offset), 0, (errno) =>
      report(`told ${errno === Errno.ENOENT ? 'ENOENT' : errno}`),
    ),
  fence: () => session.notifier.fence(() => report('fenced')),
  code: (code) => writeCode(Number(code)),
};

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [command = '', first = '', second = ''] = line.split(' ');
  commands[command]?.(first, second);
  report('did');
});
session.start();
await session.connected;
report('mounted');
report(String(await session.ended));
process.exit(0);
