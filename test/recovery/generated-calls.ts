/** The calls of generated programs: what is asked, and what must be answered by the model. */
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import type { FakeReply } from '../support/fake-reply.js';
import { fsyncOf, readOf, releaseOf, setattrOf, writeOf } from '../support/simulated-files.js';
import type { Model, ModelFile, Open } from './generated-model.js';
import type { Mount } from './mount.js';
import type { World } from './world.js';

export const S_IFDIR = 0o040000;
const O_RDWR = 2;
const O_EXCL = 0o200;
const SIZES = [40, 3_000, 9_000, 20_000];
const FILE_BYTES_MAX = 40_000;
const NOTHING = Buffer.alloc(0);

export class Programs {
  readonly #world: World;
  readonly #model: Model;
  #value = 0;

  constructor(world: World, model: Model) {
    this.#world = world;
    this.#model = model;
  }

  /** Draws one, if what it is about is free. */
  begin(): void {
    const { random, mounts } = this.#world;
    const mount = must(random.pick(mounts), 'a mount');
    const dice = random.below(100);
    if (dice < 14) this.#create(mount);
    else if (dice < 20) this.#mkdir(mount);
    else if (dice < 30) this.#open(mount);
    else if (dice < 40) this.#remove(mount);
    else if (dice < 48) this.#rename(mount);
    else if (dice < 52) this.#link(mount);
    else if (dice < 68) this.#write();
    else if (dice < 80) this.#read();
    else if (dice < 84) this.#truncate();
    else if (dice < 88) this.#fsync();
    else if (dice < 92) this.#lock();
    else if (dice < 94) this.#tmpfile(mount);
    else {
      const open = this.#model.freeOpen();
      if (open !== undefined) this.#unlockOrRelease(open);
    }
  }

  #create(mount: Mount): void {
    const name = this.#model.freeName();
    if (name === undefined) return;
    const expected = this.#model.names.has(name) ? 'EEXIST' : 'ok';
    const asked = { nodeId: ROOT_FID, name: nameFromText(name), mode: 0o644, umask: 0 };
    const reply = mount.ask('create', { ...asked, flags: O_RDWR | O_EXCL, killSuidgid: false });
    const done = ({ got }: FakeReply): void => {
      if (expected !== 'ok') return;
      const fid = must(got.entry, 'an entry').nodeId as Fid;
      const file = this.#makes('create', fid, false);
      this.#model.names.set(name, file);
      this.#model.opens.push({ mount, file, fh: must(got.open, 'an open').fh });
    };
    this.#model.ask({ reply, what: `create ${name}`, expected, busy: [name], done });
  }

  #mkdir(mount: Mount): void {
    const name = this.#model.freeName();
    if (name === undefined) return;
    const expected = this.#model.names.has(name) ? 'EEXIST' : 'ok';
    const mode = S_IFDIR | 0o755;
    const reply = mount.ask('mkdir', {
      nodeId: ROOT_FID,
      name: nameFromText(name),
      mode,
      umask: 0,
    });
    const done = ({ got }: FakeReply): void => {
      if (expected !== 'ok') return;
      const fid = must(got.entry, 'an entry').nodeId as Fid;
      this.#model.names.set(name, this.#makes('mkdir', fid, true));
    };
    this.#model.ask({ reply, what: `mkdir ${name}`, expected, busy: [name], done });
  }

  /** A file without a name, in which somebody writes and reads. */
  #tmpfile(mount: Mount): void {
    const asked = { nodeId: ROOT_FID, name: nameFromText('none'), mode: 0o600, umask: 0 };
    const reply = mount.ask('tmpfile', { ...asked, flags: O_RDWR });
    const done = ({ got }: FakeReply): void => {
      const fid = must(got.entry, 'an entry').nodeId as Fid;
      const file = { fid, isDirectory: false, names: 0, contents: NOTHING, lockedBy: undefined };
      this.#model.opens.push({ mount, file, fh: must(got.open, 'an open').fh });
    };
    this.#model.ask({ reply, what: 'tmpfile', expected: 'ok', busy: [], done });
  }

  #makes(op: string, fid: Fid, isDirectory: boolean): ModelFile {
    this.#model.count(op);
    return { fid, isDirectory, names: 1, contents: NOTHING, lockedBy: undefined };
  }

  #open(mount: Mount): void {
    const name = this.#model.freeName();
    const file = name === undefined ? undefined : this.#model.names.get(name);
    if (name === undefined || file === undefined || file.isDirectory) return;
    const reply = mount.ask('open', { nodeId: file.fid, flags: 2, killSuidgid: false });
    const done = ({ got }: FakeReply): void => {
      this.#model.opens.push({ mount, file, fh: must(got.open, 'an open').fh });
    };
    this.#model.ask({ reply, what: `open ${name}`, expected: 'ok', busy: [name], done });
  }

  #remove(mount: Mount): void {
    const name = this.#model.freeName();
    if (name === undefined) return;
    const file = this.#model.names.get(name);
    const operation = this.#world.random.chance(80) ? 'unlink' : 'rmdir';
    const fits = file?.isDirectory === (operation === 'rmdir');
    const wrong = operation === 'rmdir' ? 'ENOTDIR' : 'EISDIR';
    const expected = file === undefined ? 'ENOENT' : fits ? 'ok' : wrong;
    const reply = mount.ask(operation, { nodeId: ROOT_FID, name: nameFromText(name) });
    const done = (): void => {
      if (expected !== 'ok' || file === undefined) return;
      this.#model.names.delete(name);
      file.names--;
      this.#model.count(operation);
    };
    this.#model.ask({ reply, what: `${operation} ${name}`, expected, busy: [name], done });
  }

  #rename(mount: Mount): void {
    const [name, newName] = [this.#model.freeName(), this.#model.freeName()];
    if (name === undefined || newName === undefined || name === newName) return;
    const [file, over] = [this.#model.names.get(name), this.#model.names.get(newName)];
    // The same file by two names, and kinds that do not fit, are the kernel's affair.
    if (file === over || (over !== undefined && file?.isDirectory !== over.isDirectory)) return;
    const expected = file === undefined ? 'ENOENT' : 'ok';
    const names = { name: nameFromText(name), newName: nameFromText(newName) };
    const reply = mount.ask('rename', {
      nodeId: ROOT_FID,
      newParent: ROOT_FID,
      flags: 0,
      ...names,
    });
    const done = (): void => {
      if (file === undefined) return;
      this.#model.names.delete(name);
      this.#model.names.set(newName, file);
      if (over !== undefined) over.names--;
      this.#model.count('rename');
    };
    const what = `rename ${name} ${newName}`;
    this.#model.ask({ reply, what, expected, busy: [name, newName], done });
  }

  #link(mount: Mount): void {
    const [from, to] = [this.#model.freeName(), this.#model.freeName()];
    const file = from === undefined ? undefined : this.#model.names.get(from);
    if (file === undefined || file.isDirectory || to === undefined || from === to) return;
    const expected = this.#model.names.has(to) ? 'EEXIST' : 'ok';
    const asked = { nodeId: ROOT_FID, oldNodeId: file.fid, name: nameFromText(to) };
    const reply = mount.ask('link', asked);
    const done = (): void => {
      if (expected !== 'ok') return;
      file.names++;
      this.#model.names.set(to, file);
      this.#model.count('link');
    };
    this.#model.ask({ reply, what: `link ${from} ${to}`, expected, busy: [from, to], done });
  }

  #write(): void {
    const open = this.#model.freeOpen();
    if (open === undefined) return;
    const { mount, file, fh } = open;
    const { random } = this.#world;
    const length = 1 + random.below(random.pick(SIZES) ?? 1);
    const size = file.contents.length;
    const offset = random.chance(50) ? size : random.below(size + 1_000);
    if (offset + length > FILE_BYTES_MAX) return;
    this.#value = (this.#value % 255) + 1;
    const data = new Uint8Array(length).fill(this.#value);
    const reply = mount.ask('write', writeOf({ fid: file.fid, fh }, offset, data));
    const done = (): void => {
      const contents = Buffer.alloc(Math.max(size, offset + length));
      file.contents.copy(contents);
      contents.set(data, offset);
      file.contents = contents;
    };
    const what = `write ${length} at ${offset} of ${file.fid}`;
    this.#model.ask({ reply, what, expected: 'ok', busy: [file], done });
  }

  #read(): void {
    const open = this.#model.freeOpen();
    if (open !== undefined) this.readBy(open);
  }

  readBy({ mount, file, fh }: Open): void {
    const reply = mount.ask('read', readOf({ fid: file.fid, fh }, 0, FILE_BYTES_MAX));
    const done = ({ got }: FakeReply): void => {
      const found = Buffer.from(got.bytes ?? []);
      assert.is(found.length, file.contents.length, `size of ${file.fid} on ${mount.name}`);
      assert.ok(found.equals(file.contents), `contents of ${file.fid} on ${mount.name}`);
    };
    this.#model.ask({ reply, what: `read ${file.fid}`, expected: 'ok', busy: [file], done });
  }

  #truncate(): void {
    const open = this.#model.freeOpen();
    if (open === undefined) return;
    const { mount, file } = open;
    const size = this.#world.random.below(FILE_BYTES_MAX);
    const reply = mount.ask('setattr', setattrOf(file.fid, { size }));
    const done = (): void => {
      const contents = Buffer.alloc(size);
      file.contents.copy(contents);
      file.contents = contents;
    };
    this.#model.ask({ reply, what: `truncate ${file.fid}`, expected: 'ok', busy: [file], done });
  }

  #fsync(): void {
    const open = this.#model.freeOpen();
    if (open === undefined) return;
    const { mount, file, fh } = open;
    const reply = mount.ask('fsync', fsyncOf({ fid: file.fid, fh }));
    this.#model.ask({ reply, what: 'fsync', expected: 'ok', busy: [file], done: () => {} });
  }

  #lock(): void {
    const open = this.#model.freeOpen();
    if (open !== undefined) this.#lockBy(open);
  }

  #lockBy(open: Open): void {
    const { mount, file, fh } = open;
    const frees = file.lockedBy === open;
    const expected = file.lockedBy === undefined || frees ? 'ok' : 'EAGAIN';
    const reply = mount.flock(file.fid, fh, frees ? 'none' : 'exclusive');
    const done = (): void => {
      if (expected === 'ok') file.lockedBy = frees ? undefined : open;
    };
    const what = `flock ${file.fid} on ${mount.name}`;
    this.#model.ask({ reply, what, expected, busy: [file], done });
  }

  /** What a release gives back is free some time after it was answered. */
  #unlockOrRelease(open: Open): void {
    if (open.file.lockedBy === open) this.#lockBy(open);
    else this.release(open);
  }

  release(open: Open): void {
    const { mount, file, fh } = open;
    this.#model.opens = this.#model.opens.filter((one) => one !== open);
    const asked = { ...releaseOf({ fid: file.fid, fh }), lockOwner: BigInt(fh), unlockFlock: true };
    const reply = mount.ask('release', asked);
    this.#model.ask({ reply, what: 'release', expected: 'ok', busy: [file], done: () => {} });
  }
}
