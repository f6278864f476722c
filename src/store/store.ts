/**
 * A store directory: LMDB environment, format version, lock, flush marker.
 *
 *     STORE/feedfs.json   identity and format version, written once
 *     STORE/lock          flock(2) of the serving process, holds its pid
 *     STORE/flushed       see flush-marker.ts
 *     STORE/meta/         the LMDB environment
 *     STORE/objects/      file contents too large for LMDB (owned by objects/)
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statfsSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { must } from '../base/assert.js';
import { checkEnvironmentFile } from './environment-file.js';
import { StoreError } from './errors.js';
import { currentBootId, FlushMarker } from './flush-marker.js';
import { TABLES, type TableName } from './keys.js';
import { tryLockFile } from './libc.js';
import { FORMAT_VERSION, MAP_BYTES, TABLE_COUNT_MAX } from './limits.js';
import { Table } from './table.js';

export interface Identity {
  readonly format: number;
  /** 16 random bytes in hex: names this filesystem in streams and cursors. */
  readonly fsid: string;
}

export type Tables = { readonly [Name in TableName]: Table };

/** No inline flush and no child transaction: lmdb's transactionSync flag. */
const SYNCHRONOUS = 2;

export class Store {
  readonly path: string;
  readonly identity: Identity;
  readonly tables: Tables;
  readonly #root: RootDatabase;
  readonly #marker: FlushMarker;
  readonly #lockFd: number;
  #transaction: number;

  private constructor(
    path: string,
    identity: Identity,
    opened: { root: RootDatabase; tables: Tables; marker: FlushMarker; lockFd: number },
  ) {
    this.path = path;
    this.identity = identity;
    this.tables = opened.tables;
    this.#root = opened.root;
    this.#marker = opened.marker;
    this.#lockFd = opened.lockFd;
    this.#transaction = lastTransaction(opened.root);
  }

  /**
   * Opens the store at `path`, making it if it does not exist or is an empty
   * directory. Throws StoreError.
   */
  static open(path: string, options: { readonly create: boolean; bootId?: string }): Store {
    if (options.create) createIfAbsent(path);
    const identity = readIdentity(path);
    const lockFd = lock(path);
    try {
      const bootId = options.bootId ?? currentBootId();
      const marker = openMarker(path, bootId);
      const root = openEnvironment(path, marker, bootId);
      const tables = Object.fromEntries(
        TABLES.map((name) => [name, new Table(name, openTable(root, name))]),
      ) as unknown as Tables;
      return new Store(path, identity, { root, tables, marker, lockFd });
    } catch (error) {
      closeSync(lockFd);
      throw error;
    }
  }

  /** Commits what `write` puts, atomically, into the page cache (survives this process, not the machine). */
  commit(write: () => void): number {
    let transaction = 0;
    this.#root.transactionSync(() => {
      write();
      transaction = writeTransactionId(this.#root);
    }, SYNCHRONOUS);
    this.#transaction = transaction;
    return transaction;
  }

  /** Brings the last commit to disk, then calls back. At most one at a time, and no commit meanwhile. */
  flush(done: (error: Error | null) => void): void {
    const transaction = this.#transaction;
    environmentSync(this.#root, (error) => {
      if (error) done(error);
      else this.#marker.write(transaction, done);
    });
  }

  /** Free bytes that this process may use on the store's disk. */
  freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.path);
    return bavail * bsize;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.flush((error) => (error ? reject(error) : resolve()));
    });
    await this.#root.close();
    this.#marker.close();
    closeSync(this.#lockFd);
  }
}

// The library's types leave these out.
interface Untyped {
  getWriteTxnId(): number;
  sync(callback: (error?: Error | null) => void): void;
  getStats(): { lastTxnId: number };
}

function writeTransactionId(root: RootDatabase): number {
  return (root as unknown as Untyped).getWriteTxnId();
}

function environmentSync(root: RootDatabase, done: (error: Error | null) => void): void {
  (root as unknown as Untyped).sync((error) => done(error ?? null));
}

function lastTransaction(root: RootDatabase): number {
  return (root as unknown as Untyped).getStats().lastTxnId;
}

function createIfAbsent(path: string): void {
  try {
    mkdirSync(path, { recursive: false, mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new StoreError(
        'missing',
        `cannot make the store ${path}: ${(error as Error).message}`,
        {
          cause: error,
        },
      );
    }
  }
  if (existsSync(join(path, 'feedfs.json'))) return;
  const found = readdirSync(path).filter(
    (name) => name !== 'lost+found' && name !== 'feedfs.json.new',
  );
  // A crash while a store was being made leaves these, in this order, and no identity.
  if (found.some((name) => !['meta', 'objects', 'flushed', 'lock'].includes(name))) {
    throw new StoreError(
      'not-a-store',
      `${path} is neither empty nor a feedfs store; name a new or an empty directory`,
    );
  }
  mkdirSync(join(path, 'meta'), { recursive: true, mode: 0o700 });
  mkdirSync(join(path, 'objects'), { recursive: true, mode: 0o700 });
  if (!existsSync(join(path, 'flushed')))
    FlushMarker.create(join(path, 'flushed'), currentBootId());
  const identity: Identity = { format: FORMAT_VERSION, fsid: randomBytes(16).toString('hex') };
  writeDurably(join(path, 'feedfs.json'), `${JSON.stringify(identity)}\n`);
}

function writeDurably(path: string, text: string): void {
  const temporary = `${path}.new`;
  writeFileSync(temporary, text, { mode: 0o600 });
  const fd = openSync(temporary, 'r');
  fsyncSync(fd);
  closeSync(fd);
  renameSync(temporary, path);
}

function readIdentity(path: string): Identity {
  let text: string;
  try {
    if (!statSync(path).isDirectory()) throw new Error('not a directory');
    text = readFileSync(join(path, 'feedfs.json'), 'utf8');
  } catch (error) {
    throw new StoreError('not-a-store', `${path} is not a feedfs store (no feedfs.json in it)`, {
      cause: error,
    });
  }
  let identity: Partial<Identity>;
  try {
    identity = JSON.parse(text) as Partial<Identity>;
  } catch (error) {
    throw new StoreError('corrupt', `${path}/feedfs.json is damaged; restore it from a backup`, {
      cause: error,
    });
  }
  const { format, fsid } = identity;
  if (typeof format !== 'number' || typeof fsid !== 'string' || !/^[0-9a-f]{32}$/.test(fsid)) {
    throw new StoreError('corrupt', `${path}/feedfs.json is damaged; restore it from a backup`);
  }
  if (format > FORMAT_VERSION) {
    throw new StoreError(
      'newer-format',
      `${path} has format ${format}, this feedfs knows up to ${FORMAT_VERSION}; use a newer feedfs`,
    );
  }
  return { format, fsid };
}

function lock(path: string): number {
  const file = join(path, 'lock');
  const fd = openSync(file, 'a+', 0o600);
  if (!tryLockFile(fd)) {
    closeSync(fd);
    const pid = Number.parseInt(readFileSync(file, 'latin1'), 10);
    throw new StoreError(
      'locked',
      `${path} is in use by process ${pid}; unmount it there first`,
      Number.isInteger(pid) ? { pid } : {},
    );
  }
  ftruncateSync(fd, 0);
  writeSync(fd, `${process.pid}\n`);
  return fd;
}

function openMarker(path: string, bootId: string): FlushMarker {
  const file = join(path, 'flushed');
  if (!existsSync(file)) {
    throw new StoreError('corrupt', `${path}/flushed is missing; run feedfs fsck`);
  }
  return new FlushMarker(file, bootId);
}

/**
 * Opens the newest transaction, unless the machine went down before it was
 * flushed: then the one before it, which was.
 */
function openEnvironment(path: string, marker: FlushMarker, bootId: string): RootDatabase {
  const directory = join(path, 'meta');
  checkEnvironmentFile(join(directory, 'data.mdb'));
  let root = openLmdb(directory, false);
  const flushed = marker.read();
  const unflushed = flushed === undefined || lastTransaction(root) > flushed.transaction;
  if (unflushed && flushed?.bootId !== bootId && lastTransaction(root) > 1) {
    void root.close();
    root = openLmdb(directory, true);
  }
  return root;
}

function openLmdb(directory: string, previousSnapshot: boolean): RootDatabase {
  try {
    return open({
      path: directory,
      noSync: true,
      mapSize: MAP_BYTES,
      maxDbs: TABLE_COUNT_MAX,
      encoding: 'binary',
      keyEncoding: 'binary',
      compression: false,
      ...(previousSnapshot ? { usePreviousSnapshot: true } : {}),
    } as Parameters<typeof open>[0]) as RootDatabase;
  } catch (error) {
    throw new StoreError(
      'corrupt',
      `${directory} cannot be opened: ${(error as Error).message}; run feedfs fsck`,
      { cause: error },
    );
  }
}

function openTable(root: RootDatabase, name: TableName): Database<Buffer, Buffer> {
  return must(
    root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' }),
    `table ${name}`,
  );
}
