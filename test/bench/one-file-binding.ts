/**
 * The same two files as peers/one-file.c, served through a native binding that
 * the bench has installed outside the project.
 *
 * Usage: node one-file-binding.js fuse-native|fuse-napi MODULE_DIR MOUNTPOINT
 */
import { createRequire } from 'node:module';
import { must } from '../../src/base/assert.js';

const TEXT = Buffer.from('hello world');
const ENOENT = -2;
const DATA_AT = 7;
/** Answers stay valid as long as in the other servers. */
const VALID_SECONDS = 3600;

type Callback = (error: number, value?: unknown) => void;
/** The part of the two bindings' API that is used here; both take operations by name. */
interface Binding {
  new (
    mountpoint: string,
    operations: object,
    options: object,
  ): { mount(done: (error: Error | null) => void): void; unmount(done: () => void): void };
}

const kind = must(process.argv[2], 'kind');
const Fuse = createRequire(import.meta.url)(must(process.argv[3], 'module')) as Binding;
const mountpoint = must(process.argv[4], 'mountpoint');

function attributes(path: string): object | undefined {
  const time = new Date(0);
  const common = { mtime: time, atime: time, ctime: time, uid: 0, gid: 0, ino: 1 };
  if (path === '/') return { ...common, mode: 0o40755, size: 4096, nlink: 2 };
  if (path === '/test') return { ...common, mode: 0o100644, size: TEXT.length, nlink: 1 };
  if (path === '/quiet') return { ...common, mode: 0o100644, size: 0, nlink: 1 };
  return undefined;
}

function getattr(path: string, done: Callback): void {
  const found = attributes(path);
  if (found === undefined) done(ENOENT);
  else done(0, found);
}

const operations = {
  getattr,
  fgetattr: (path: string, _fd: number, done: Callback) => getattr(path, done),
  open: (path: string, _flags: number, done: Callback) =>
    done(0, kind === 'fuse-napi' ? { fd: path === '/test' ? 1 : 2, directIO: true } : 1),
  release: (_path: string, _fd: number, done: Callback) => done(0),
  // The descriptor's path decides: a read of `quiet` is never answered.
  read: (
    path: string,
    _fd: number,
    buffer: Uint8Array,
    length: number,
    position: number,
    done: (count: number) => void,
  ) => {
    if (path === '/quiet') return;
    const from = Math.min(Number(position), TEXT.length);
    const count = Math.min(length, TEXT.length - from);
    TEXT.copy(buffer, 0, from, from + count);
    done(count);
  },
};
const fuse3Operations = {
  lseek: (_path: string, _fd: number, _offset: unknown, _whence: number, done: Callback) =>
    done(0, DATA_AT),
  poll: (path: string, _fd: number, done: Callback) => done(0, path === '/quiet' ? 0 : 1),
};

const validity = { timeout: false, attrTimeout: VALID_SECONDS, entryTimeout: VALID_SECONDS };
// fuse-native knows no direct I/O, neither per file nor as an option, but it joins
// its options with commas unchecked: so libfuse gets it, and reads are not cached.
const fuse = new Fuse(
  mountpoint,
  kind === 'fuse-napi' ? { ...operations, ...fuse3Operations } : operations,
  kind === 'fuse-napi' ? validity : { ...validity, entryTimeout: `${VALID_SECONDS},direct_io` },
);
fuse.mount((error) => {
  if (error === null || error === undefined) return;
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => fuse.unmount(() => process.exit(0)));
}
// fuse-napi does not keep the process alive by itself.
setInterval(() => undefined, 60_000);
