/** A metadata server that is killed, and the changes of its clients that are made again. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoName, FsError } from '../../../src/base/errno.js';
import { type Fid, ROOT_FID } from '../../../src/base/fid.js';
import { nameFromText } from '../../../src/base/name.js';
import type { Applied } from '../../../src/mds/server.js';
import type { Credentials, Reint, ReintRequest } from '../../../src/rpc/messages.js';
import { TEMP_PREFIX } from '../../support/mount.js';
import { namespaceOf } from '../../support/namespace-model.js';
import { Simulated, type SimulatedOptions } from '../../support/simulated.js';

export const WHO: Credentials = { uid: 7, gid: 8, pid: 99, jobid: 'cp.7', nid: '10.0.0.1@tcp' };

/** A change that was made, as its client keeps it. */
export interface Made {
  readonly request: ReintRequest;
  readonly transno: number;
  readonly fid: Fid;
  readonly kept: Fid | undefined;
}

/** Runs `use` with a store that has a feed, and is served for clients that outlive the server. */
export async function withServed(use: (served: Served) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), TEMP_PREFIX));
  const served = new Served(folder);
  try {
    await served.begin();
    await use(served);
  } finally {
    await served.sim.close();
    rmSync(folder, { recursive: true });
  }
}

export class Served {
  sim: Simulated;
  feed = 0;
  readonly #folder: string;
  #runs = 0;

  constructor(folder: string) {
    this.#folder = folder;
    this.sim = new Simulated(join(folder, '0'), { recovers: true });
    this.sim.server.finishRecovery(() => false);
  }

  async begin(): Promise<void> {
    this.sim.connection.call('feedCreate', { name: nameFromText('f') }, (_errno, feed) => {
      this.feed = feed?.id ?? 0;
    });
    await this.sim.settle();
  }

  /** Makes a change and answers as the server does, or gives the errno's name. */
  try(change: Reint, more: Partial<ReintRequest> = {}): Made | string {
    this.sim.clock.advance(10);
    const request: ReintRequest = { who: WHO, change, ...more };
    try {
      return madeOf(request, this.sim.server.transact(structuredClone(request)));
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      return errnoName(error.errno);
    }
  }

  make(change: Reint, more: Partial<ReintRequest> = {}): Made {
    const made = this.try(change, more);
    if (typeof made === 'string') throw new Error(`${change.op}: ${made}`);
    return made;
  }

  /** A new server on what was committed. */
  async kill(options: SimulatedOptions = { recovers: true }): Promise<void> {
    const path = join(this.#folder, `${++this.#runs}`);
    await this.sim.crash(path);
    this.sim = new Simulated(path, options);
    this.sim.clock.advance(5_000_000);
  }

  /** `ok`, or the errno's name. */
  replay({ request }: Made): string {
    try {
      const { attributes, made } = this.sim.server.replay(structuredClone(request));
      return (made ?? attributes.fid) === request.replay?.fid ? 'ok' : 'another FID';
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      return errnoName(error.errno);
    }
  }

  /** What is reachable, and the bytes of all records. */
  async state(): Promise<unknown> {
    await this.sim.settle();
    return { tree: namespaceOf(this.sim), records: this.records() };
  }

  /** Of the feed, as hexadecimal digits. */
  records(): string {
    const into = new Uint8Array(1024 * 1024);
    const request = { id: this.feed, view: 'stream', epoch: 0, cursor: 0, into } as const;
    const chunk = this.sim.rpc('feedNext', request);
    if (typeof chunk === 'number') throw new Error(`no records: ${errnoName(chunk)}`);
    return Buffer.from(into.subarray(0, chunk.length)).toString('hex');
  }

  /** Whether there is an object of that FID, with a name or without. */
  exists(fid: Fid): boolean {
    return this.sim.server.namespace.inodes.get(fid) !== undefined;
  }

  hasObjectFile(fid: Fid, generation: number): boolean {
    const place = (fid % 256).toString(16).padStart(2, '0');
    const name = `${fid.toString(16)}.${generation}`;
    return existsSync(join(this.sim.path, 'objects', place, name));
  }
}

function madeOf(request: ReintRequest, applied: Applied): Made {
  const { attributes, kept, made, transno, time } = applied;
  const fid = made ?? attributes.fid;
  return { request: { ...request, replay: { transno, time, fid } }, transno, fid, kept };
}

export function createOf(name: string, parent: Fid = ROOT_FID, mode = 0o100644): Reint {
  const at = { parent, name: nameFromText(name), mode, umask: 0, rdev: 0 };
  return { op: 'create', ...at, open: false };
}

export function unlinkOf(name: string, parent: Fid = ROOT_FID): Reint {
  return { op: 'unlink', parent, name: nameFromText(name) };
}

export function renameOf(from: string, to: string, flags = 0): Reint {
  const parents = { parent: ROOT_FID, newParent: ROOT_FID };
  const names = { name: nameFromText(from), newName: nameFromText(to) };
  return { op: 'rename', ...parents, ...names, flags };
}

/** Contents of an object file, of that many bytes. */
export function objectWriteOf(fid: Fid, size: number, more: { generation?: number } = {}): Reint {
  const extents = [{ offset: 0, length: size }];
  const rest = { blocks: 8, contents: undefined, killSuidgid: false, keepIntent: false };
  const mtime = { sec: 5, nsec: 5 };
  return {
    ...{ op: 'write', fid, extents, size, mtime, layout: 'object', generation: 0 },
    ...rest,
    ...more,
  };
}

export function tmpfileOf(linkable = true): Reint {
  return { op: 'tmpfile', parent: ROOT_FID, mode: 0o640, umask: 0, linkable };
}
