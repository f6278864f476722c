/** Stores for the tests of fsck and of bad input: made without a mount, and damaged on purpose. */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must } from '../../src/base/assert.js';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { S_IFDIR, S_IFREG } from '../../src/base/mode.js';
import { nameFromText } from '../../src/base/name.js';
import { SystemClock } from '../../src/base/time.js';
import type { Inode } from '../../src/mds/inode.js';
import { MetadataServer } from '../../src/mds/server.js';
import { ObjectStore } from '../../src/objects/object-store.js';
import type { Credentials, Layout, Method, Reint, RequestOf } from '../../src/rpc/messages.js';
import type { TableName } from '../../src/store/keys.js';
import { SEAL_BYTES, writeSeal } from '../../src/store/seal.js';
import { Store } from '../../src/store/store.js';
import { pathsOf } from '../../src/store/store-directory.js';
import { removeFolder, TEMP_PREFIX } from './mount.js';

const WHO: Credentials = { uid: 0, gid: 0, pid: 1, jobid: '', nid: '0@lo' };

/** Runs `use` with a new temporary folder, which is removed afterwards. */
export async function withTemp<T>(use: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = fs.mkdtempSync(join(tmpdir(), TEMP_PREFIX));
  try {
    return await use(folder);
  } finally {
    removeFolder(folder);
  }
}

/** A metadata server on a store, without client or mount. */
export class Bench {
  readonly server: MetadataServer;
  readonly objects: ObjectStore;
  readonly #store: Store;

  constructor(path: string) {
    this.#store = Store.open(path, { create: true });
    const objects = new ObjectStore(path);
    this.objects = objects;
    this.server = new MetadataServer({
      store: this.#store,
      clock: new SystemClock(),
      visibility: 'disk',
      owner: { uid: 0, gid: 0 },
      reaper: {
        remove: (fid, generation) => objects.remove({ fid, generation }),
        truncate: (fid, generation, size) => objects.truncate({ fid, generation }, size),
        flushed: () => objects.flushed(),
      },
      unsettled: objects.unsettled(),
      dataSync: (done) => objects.sync(done),
      diskUse: () => objects.statfs(),
      notify: () => {},
    });
  }

  change(change: Reint): Inode {
    return this.server.transact({ who: WHO, change }).attributes;
  }

  /** Calls a method that answers once the change is on disk. */
  call<M extends Method>(method: M, request: RequestOf<M>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.server.service[method](request, (errno: number, result: unknown) =>
        errno === 0 ? resolve(result) : reject(new Error(`${method}: errno ${errno}`)),
      );
    });
  }

  file(name: string, parent: Fid = ROOT_FID): Inode {
    const mode = S_IFREG | 0o644;
    return this.change({
      op: 'create',
      parent,
      name: nameFromText(name),
      mode,
      umask: 0,
      rdev: 0,
      open: false,
    });
  }

  folder(name: string, parent: Fid = ROOT_FID): Inode {
    const mode = S_IFDIR | 0o755;
    return this.change({
      op: 'create',
      parent,
      name: nameFromText(name),
      mode,
      umask: 0,
      rdev: 0,
      open: false,
    });
  }

  /** Gives a file contents, small ones in LMDB and others as an object file. */
  write(inode: Inode, contents: Uint8Array): void {
    const layout: Layout = contents.length <= 8_192 ? 'inline' : 'object';
    const generation = inode.generation + (layout === 'object' ? 1 : 0);
    if (layout === 'object') {
      this.objects.create({ fid: inode.fid, generation });
      this.objects.write({ fid: inode.fid, generation }, contents, 0);
    }
    this.change({
      op: 'write',
      fid: inode.fid,
      extents: [{ offset: 0, length: contents.length }],
      size: contents.length,
      mtime: inode.mtime,
      layout,
      generation,
      blocks: 8,
      contents: layout === 'inline' ? contents : undefined,
      killSuidgid: false,
      keepIntent: false,
    });
  }

  settle(): Promise<void> {
    return this.server.settle();
  }

  async close(): Promise<void> {
    await this.settle();
    // Work on object files is left to commit by the first flush.
    await this.settle();
    this.objects.close();
    await this.#store.close();
  }
}

/** Makes a store at `path`, as `build` says. */
export async function makeStore(
  path: string,
  build: (bench: Bench) => void | Promise<void>,
): Promise<void> {
  const bench = new Bench(path);
  await build(bench);
  await bench.close();
}

/** Changes stored values in one transaction, behind the server's back. */
export async function tamper(
  path: string,
  change: (tables: Store['tables']) => void,
): Promise<void> {
  const store = Store.open(path, { create: false });
  store.commit(() => change(store.tables));
  await store.close();
}

/**
 * Flips a bit of each place in LMDB's file where `needle` stands, `skip` bytes after
 * its start: old pages keep copies, so all are hit. Returns how many.
 */
export function flipBits(store: string, needle: Uint8Array | string, skip = 0): number {
  const path = pathsOf(store).data;
  const bytes = fs.readFileSync(path);
  let count = 0;
  for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) {
    bytes[at + skip] = must(bytes[at + skip], 'byte') ^ 0x10;
    count++;
  }
  fs.writeFileSync(path, bytes);
  return count;
}

/** Cuts LMDB's file to `size` bytes, or to a part of what it has. */
export function cut(store: string, size: number | ((whole: number) => number)): void {
  const { data } = pathsOf(store);
  const whole = fs.statSync(data).size;
  fs.truncateSync(data, typeof size === 'number' ? size : Math.floor(size(whole)));
}

/**
 * Flips a bit of a stored value, so that its seal is broken; of an empty one, of the seal.
 * Returns how many copies were hit: old pages have some.
 */
export async function breakValue(
  path: string,
  table: TableName,
  key: Buffer,
  at = 0,
): Promise<number> {
  const store = Store.open(path, { create: false });
  const value = Buffer.from(must(store.tables[table].getRaw(key), 'row').value);
  await store.close();
  const sealed = Buffer.alloc(value.length + SEAL_BYTES);
  sealed.set(value);
  writeSeal(sealed, value);
  // Key and value stand side by side, unless the value is long.
  const beside = flipBits(path, Buffer.concat([key, sealed]), key.length + at);
  return beside > 0 ? beside : flipBits(path, sealed, at);
}
