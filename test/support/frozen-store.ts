/**
 * Stores as they were written by the code of their time, one file per format in test/formats:
 * JSON, compressed with gzip. What they say stands beside them, as that code read it.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Fid } from '../../src/base/fid.js';
import { namespaceOf } from './namespace-model.js';
import { flatten } from './replayer.js';
import type { Simulated } from './simulated.js';

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

/** What a store says, as values that compare. */
export interface Contents {
  /** Path, FID, attributes, xattrs, target; for regular files the data in base64. */
  readonly tree: readonly (readonly [string, unknown])[];
  /** By name: what the feed owes, as the bytes of its stream in base64. */
  readonly feeds: Readonly<Record<string, string>>;
}

export interface Frozen extends Contents {
  /** By path in the store, in base64. */
  readonly files: Readonly<Record<string, string>>;
}

/** All that can be seen of a store. */
export async function contentsOf(sim: Simulated): Promise<Contents> {
  const tree: [string, unknown][] = [];
  for (const [path, value] of flatten(namespaceOf(sim))) {
    const { fid, mode, size } = value as { fid: Fid; mode: number; size: number };
    const regular = (mode & S_IFMT) === S_IFREG;
    tree.push([
      path,
      regular ? { ...(value as object), data: await dataOf(sim, fid, size) } : value,
    ]);
  }
  const feeds: Record<string, string> = {};
  for (const { id, name } of sim.server.feeds.list()) feeds[name] = streamOf(sim, id);
  // As it comes back from a file.
  return JSON.parse(JSON.stringify({ tree, feeds }));
}

async function dataOf(sim: Simulated, nodeId: Fid, size: number): Promise<string> {
  const { open } = (await sim.answer('open', { nodeId, flags: 0, killSuidgid: false })).got;
  const fh = open?.fh ?? 0;
  const { bytes } = sim.ask('read', {
    nodeId,
    fh,
    offset: 0,
    size,
    flags: 0,
    lockOwner: undefined,
  }).got;
  const data = Buffer.from(bytes ?? []).toString('base64');
  const release = { nodeId, fh, flags: 0, lockOwner: 0n, unlockFlock: false };
  await sim.answer('release', release);
  return data;
}

function streamOf(sim: Simulated, id: number): string {
  const into = new Uint8Array(256 * 1024);
  const parts: Buffer[] = [];
  for (let cursor = 0; ; ) {
    const chunk = sim.rpc('feedNext', { id, view: 'stream', epoch: 0, cursor, into });
    // One that has expired owes nothing, and says that it is gone.
    if (typeof chunk === 'number' || chunk === undefined || chunk.gone) break;
    cursor = chunk.cursor;
    parts.push(Buffer.from(into.subarray(0, chunk.length)));
  }
  return Buffer.concat(parts).toString('base64');
}

/** The store at `path`, which nobody has open, in one file. */
export function freeze(path: string, contents: Contents, file: string): void {
  const files: Record<string, string> = {};
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' }).sort()) {
    const skipped = name === 'lock' || name.endsWith('lock.mdb');
    if (skipped || !statSync(join(path, name)).isFile()) continue;
    files[name] = readFileSync(join(path, name)).toString('base64');
  }
  writeFileSync(file, gzipSync(JSON.stringify({ files, ...contents }), { level: 9 }));
}

/** What stands in a file that {@link freeze} wrote. */
export function readFrozen(file: string): Frozen {
  return JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'));
}

/** Makes the store at `path`, which must not exist. */
export function thaw({ files }: Frozen, path: string): void {
  for (const [name, data] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), Buffer.from(data, 'base64'));
  }
}
