/** A metadata server with watches and without a mount. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type Test } from 'uvu';
import { type Errno, errnoName } from '../../src/base/errno.js';
import { type Fid, formatFid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import type { Watcher } from '../../src/rpc/messages.js';
import { TEMP_PREFIX } from '../support/mount.js';
import { Simulated } from '../support/simulated.js';
import { DIRECTORY, done, make } from './reint-fixture.js';

export const ROOT: Watcher = { uid: 0, gid: 0, groups: [], privileged: true };
export const USER: Watcher = { uid: 1000, gid: 1000, groups: [50], privileged: false };

export interface WatchContext {
  folder: string;
  sim: Simulated;
}

/** A suite whose tests each have a server of their own. */
export function watchSuite(name: string): Test<WatchContext> {
  const test = suite<WatchContext>(name);
  test.before.each((context) => {
    context.folder = mkdtempSync(join(tmpdir(), TEMP_PREFIX));
    context.sim = new Simulated(join(context.folder, 'store'), { userWatch: true });
  });
  test.after.each(async ({ sim, folder }) => {
    await sim.close();
    rmSync(folder, { recursive: true });
  });
  return test;
}

export type Line = Readonly<Record<string, unknown>>;

/** An open watch, from the side of its client. */
export class OpenWatch {
  readonly #sim: Simulated;
  readonly #who: Watcher;
  readonly id: number;

  /** Throws the errno's name if it is refused. */
  constructor(sim: Simulated, who: Watcher, filter?: object) {
    this.#sim = sim;
    this.#who = who;
    const opened = sim.rpc('watchOpen', { who });
    if (typeof opened === 'number') throw new Error(errnoName(opened));
    this.id = opened.id;
    if (filter !== undefined) {
      const refused = this.filter(JSON.stringify(filter));
      if (refused !== undefined) throw new Error(refused);
    }
  }

  /** The errno's name if it is refused. */
  filter(text: string, by = this.#who): string | undefined {
    const errno = this.#sim.rpc('watchFilter', { id: this.id, by, text }) as Errno | undefined;
    return errno === undefined ? undefined : errnoName(errno);
  }

  /** One read: its text, or the errno's name. */
  read(size: number, by = this.#who): string {
    const into = Buffer.alloc(size);
    const result = this.#sim.rpc('watchNext', { id: this.id, by, into });
    if (typeof result === 'number') return errnoName(result);
    return into.toString('utf8', 0, result.length);
  }

  /** All lines there are, as `by` reads them. */
  lines(by = this.#who): Line[] {
    let text = '';
    for (let part = this.read(65_536, by); part !== 'EAGAIN'; part = this.read(65_536, by)) {
      if (!part.includes('{')) throw new Error(part);
      text += part;
    }
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line);
  }

  /** Operation and name, or FID, of each line. */
  brief(by = this.#who): string[] {
    return this.lines(by).map(({ op, name, fid }) => `${op} ${name ?? fid}`);
  }

  get ready(): boolean {
    return this.poll() === true;
  }

  /** Whether a read by somebody would get something; the errno's name if it is refused. */
  poll(by = this.#who): boolean | string {
    const ready = this.#sim.rpc('watchReady', { id: this.id, by });
    return typeof ready === 'number' ? errnoName(ready) : ready;
  }

  close(): void {
    this.#sim.rpc('watchClose', { id: this.id });
  }
}

/** A directory of mode 0755, unless told otherwise. */
export function directory(sim: Simulated, parent: Fid, name: string, mode = 0o755): Fid {
  return make(sim, parent, name, (DIRECTORY & ~0o7777) | mode);
}

export function chmod(sim: Simulated, fid: Fid, mode: number): void {
  done(sim, { op: 'setattr', fid, change: { mode } });
}

export function setxattr(sim: Simulated, fid: Fid, name: string, value: Uint8Array): void {
  done(sim, { op: 'setxattr', fid, name: nameFromText(name), value, flags: 0 });
}

export function link(sim: Simulated, fid: Fid, parent: Fid, name: string): void {
  done(sim, { op: 'link', fid, parent, name: nameFromText(name) });
}

export function unlink(sim: Simulated, parent: Fid, name: string): void {
  done(sim, { op: 'unlink', parent, name: nameFromText(name) });
}

export function rmdir(sim: Simulated, parent: Fid, name: string): void {
  done(sim, { op: 'rmdir', parent, name: nameFromText(name) });
}

export function fidText(fid: Fid): string {
  return formatFid(fid);
}

export interface Tree {
  readonly open: Fid;
  readonly shut: Fid;
}

/** A directory that everybody may list, and one that nobody may enter. */
export function tree(sim: Simulated): Tree {
  return { open: directory(sim, ROOT_FID, 'open'), shut: directory(sim, ROOT_FID, 'shut', 0o700) };
}
