/** Short forms of requests on regular files, for tests with a simulated filesystem. */
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import type { FakeReply } from './fake-reply.js';
import type { Asked, Simulated } from './simulated.js';

export const O_RDWR = 2;

export interface OpenFile {
  readonly fid: Fid;
  readonly fh: number;
}

export function createFile(sim: Simulated, name: string): OpenFile {
  const reply = sim.ask('create', {
    nodeId: ROOT_FID,
    name: nameFromText(name),
    mode: 0o644,
    flags: O_RDWR,
    umask: 0,
    killSuidgid: false,
  });
  return opened(reply);
}

export function openFile(sim: Simulated, fid: Fid, flags = O_RDWR): OpenFile {
  const reply = sim.ask('open', { nodeId: fid, flags, killSuidgid: false });
  return { fid, fh: opened(reply).fh };
}

function opened({ got, outcome }: FakeReply): OpenFile {
  if (got.open === undefined) throw new Error(`not opened: ${outcome}`);
  return { fid: (got.entry?.nodeId ?? 0) as Fid, fh: got.open.fh };
}

export function writeOf({ fid, fh }: OpenFile, offset: number, data: Uint8Array): Asked<'write'> {
  return {
    nodeId: fid,
    fh,
    offset,
    data,
    flags: 0,
    fromCache: false,
    killSuidgid: false,
    lockOwner: undefined,
  };
}

export function readOf({ fid, fh }: OpenFile, offset: number, size: number): Asked<'read'> {
  return { nodeId: fid, fh, offset, size, flags: 0, lockOwner: undefined };
}

export function releaseOf({ fid, fh }: OpenFile): Asked<'release'> {
  return { nodeId: fid, fh, flags: 0, lockOwner: 0n, unlockFlock: false };
}

export function fsyncOf({ fid, fh }: OpenFile): Asked<'fsync'> {
  return { nodeId: fid, fh, dataOnly: false };
}

export function setattrOf(nodeId: number, change: Partial<Asked<'setattr'>>): Asked<'setattr'> {
  return {
    nodeId,
    fh: undefined,
    mode: undefined,
    uid: undefined,
    gid: undefined,
    size: undefined,
    atime: undefined,
    mtime: undefined,
    ctime: undefined,
    killSuidgid: false,
    lockOwner: undefined,
    ...change,
  };
}

/** `length` bytes of one value. */
export function bytes(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

/** The first `size` bytes of the file, as a reader sees them. */
export async function contentsOf(sim: Simulated, file: OpenFile, size: number): Promise<Buffer> {
  const reply = await sim.answer('read', readOf(file, 0, size));
  return Buffer.from(reply.got.bytes ?? []);
}
