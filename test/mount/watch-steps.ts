/** Random changes of a mount, made by root through system calls, and of the model of it. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { must } from '../../src/base/assert.js';
import { RENAME_EXCHANGE, renameat2 } from '../posix/libc.js';
import { ACCESS, aclOf } from '../support/acl.js';
import { lsetxattr } from '../support/libc.js';
import type { Random } from '../support/random.js';
import type { AgentUser } from './watch-agent.js';
import {
  type Change,
  type Directory,
  type Entry,
  type File,
  isBelow,
  makeDirectory,
  type Place,
  pathOf,
} from './watch-model.js';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
const DIRECTORY_MODES = [0o755, 0o755, 0o750, 0o711, 0o700, 0o744, 0o555, 0o070, 0o005] as const;
const FILE_MODES = [0o644, 0o600, 0o640, 0o604] as const;
const DIRECTORIES_MAX = 14;

export class WatchSteps {
  readonly root: Directory;
  readonly #mnt: string;
  readonly #random: Random;
  readonly #user: AgentUser;
  readonly #directories: Directory[];
  readonly #files: File[] = [];

  constructor(mnt: string, random: Random, user: AgentUser) {
    this.#mnt = mnt;
    this.#random = random;
    this.#user = user;
    this.root = makeDirectory(fs.statSync(mnt).ino, undefined, '');
    this.#directories = [this.root];
  }

  /** Some change that is possible now; the records that it makes, in order. */
  step(): readonly Change[] {
    for (;;) {
      const changes = this.#try();
      if (changes !== undefined) return changes;
    }
  }

  #try(): readonly Change[] | undefined {
    const place = this.#somePlace();
    const taken = place.directory.children.get(place.name);
    switch (this.#random.below(14)) {
      case 0:
      case 1:
        return taken === undefined ? this.#create(place) : undefined;
      case 2:
        return taken === undefined ? this.#mkdir(place) : undefined;
      case 3:
        return taken === undefined ? this.#link(place) : undefined;
      case 4:
        return taken === undefined ? undefined : this.#remove(place, taken);
      case 5:
      case 6:
      case 7:
        return this.#rename(place, this.#somePlace());
      case 8:
        return this.#exchange(place, this.#somePlace());
      case 9:
        return this.#setFile();
      case 10:
        return this.#append();
      default:
        return this.#protect(place.directory);
    }
  }

  #create(place: Place): Change[] {
    const path = this.#path(place);
    fs.closeSync(fs.openSync(path, 'wx', this.#random.pick(FILE_MODES)));
    const file: File = { kind: 'file', ino: fs.lstatSync(path).ino, places: [] };
    this.#files.push(file);
    this.#put(place, file);
    return [{ op: 'create', object: file, at: place }];
  }

  #mkdir(place: Place): Change[] | undefined {
    if (this.#directories.length >= DIRECTORIES_MAX) return undefined;
    const path = this.#path(place);
    fs.mkdirSync(path, this.#random.pick(DIRECTORY_MODES) ?? 0);
    const made = makeDirectory(fs.lstatSync(path).ino, place.directory, place.name);
    this.#directories.push(made);
    this.#put(place, made);
    return [{ op: 'mkdir', object: made, at: place }];
  }

  #link(place: Place): Change[] | undefined {
    const file = this.#random.pick(this.#files);
    const [from] = file?.places ?? [];
    if (file === undefined || from === undefined) return undefined;
    fs.linkSync(this.#path(from), this.#path(place));
    this.#put(place, file);
    return [{ op: 'link', object: file, at: place }];
  }

  #remove(place: Place, object: Entry): Change[] | undefined {
    if (object.kind === 'directory' && object.children.size > 0) return undefined;
    if (object.kind === 'directory') fs.rmdirSync(this.#path(place));
    else fs.unlinkSync(this.#path(place));
    this.#take(place, object);
    this.#forget(object);
    return [{ op: object.kind === 'file' ? 'unlink' : 'rmdir', object, at: place }];
  }

  #rename(from: Place, to: Place): Change[] | undefined {
    const object = from.directory.children.get(from.name);
    const over = to.directory.children.get(to.name);
    if (object === undefined || object === over || !this.#fits(object, to)) return undefined;
    if (over !== undefined && over.kind !== object.kind) return undefined;
    if (over?.kind === 'directory' && over.children.size > 0) return undefined;
    fs.renameSync(this.#path(from), this.#path(to));
    if (over !== undefined) {
      this.#take(to, over);
      this.#forget(over);
    }
    this.#take(from, object);
    this.#put(to, object);
    return [{ op: 'rename', object, from, to, over }];
  }

  #exchange(from: Place, to: Place): Change[] | undefined {
    const object = from.directory.children.get(from.name);
    const exchanged = to.directory.children.get(to.name);
    if (object === undefined || exchanged === undefined || object === exchanged) return undefined;
    if (!this.#fits(object, to) || !this.#fits(exchanged, from)) return undefined;
    renameat2(this.#path(from), this.#path(to), RENAME_EXCHANGE);
    this.#take(from, object);
    this.#take(to, exchanged);
    this.#put(to, object);
    this.#put(from, exchanged);
    return [{ op: 'rename', object, from, to, exchanged }];
  }

  #setFile(): Change[] | undefined {
    const file = this.#random.pick(this.#files);
    if (file === undefined) return undefined;
    fs.chmodSync(this.#path(must(file.places[0], 'a place')), this.#random.pick(FILE_MODES) ?? 0);
    return [{ op: 'setattr', object: file, in: directoriesWith(file) }];
  }

  #append(): Change[] | undefined {
    const file = this.#random.pick(this.#files);
    if (file === undefined) return undefined;
    fs.appendFileSync(this.#path(must(file.places[0], 'a place')), 'x');
    return [{ op: 'write', object: file, in: directoriesWith(file) }];
  }

  /** Whoever does not get past the root sees nothing at all, so that is seldom changed. */
  #protect(directory: Directory): Change[] | undefined {
    if (directory === this.root && !this.#random.chance(20)) return undefined;
    const how = this.#random.below(3);
    if (how === 0) return this.#chown(directory);
    return how === 1 ? this.#setAcl(directory) : this.#chmod(directory);
  }

  #chmod(directory: Directory): Change[] {
    fs.chmodSync(this.pathOf(directory), this.#random.pick(DIRECTORY_MODES) ?? 0);
    const change = this.#setattr(directory);
    return directory.hasAcl ? [change, { ...change, op: 'setxattr' }] : [change];
  }

  #chown(directory: Directory): Change[] {
    const { uid, gid, groups } = this.#user;
    const owner = this.#random.pick([0, uid]) ?? 0;
    const group = this.#random.pick([0, gid, ...groups]) ?? 0;
    fs.chownSync(this.pathOf(directory), owner, group);
    return [this.#setattr(directory)];
  }

  #setAcl(directory: Directory): Change[] {
    const rights = () => this.#random.pick(['rwx', 'r-x', '--x', 'r--', '---']) ?? '';
    const { uid, groups } = this.#user;
    const acl = aclOf(
      `u::${rights()}`,
      ...(this.#random.chance(60) ? [`u:${uid}:${rights()}`] : []),
      `g::${rights()}`,
      ...groups.filter(() => this.#random.chance(60)).map((group) => `g:${group}:${rights()}`),
      `m::${rights()}`,
      `o::${rights()}`,
    );
    lsetxattr(Buffer.from(this.pathOf(directory)), Buffer.from(ACCESS), acl, 0);
    directory.hasAcl = true;
    return [{ op: 'setxattr', object: directory, in: [directory.parent ?? directory] }];
  }

  #setattr(directory: Directory): Extract<Change, { in: readonly Directory[] }> {
    return { op: 'setattr', object: directory, in: [directory.parent ?? directory] };
  }

  /** A directory must not come to lie in itself. */
  #fits(object: Entry, { directory }: Place): boolean {
    return object.kind === 'file' || !isBelow(directory, object);
  }

  #somePlace(): Place {
    const directory = this.#random.pick(this.#directories) ?? this.root;
    return { directory, name: this.#random.pick(NAMES) ?? 'a' };
  }

  #put(place: Place, object: Entry): void {
    place.directory.children.set(place.name, object);
    if (object.kind === 'file') object.places.push(place);
    else {
      object.parent = place.directory;
      object.name = place.name;
    }
  }

  #take({ directory, name }: Place, object: Entry): void {
    if (directory.children.get(name) === object) directory.children.delete(name);
    if (object.kind === 'directory') return;
    const at = object.places.findIndex((one) => one.directory === directory && one.name === name);
    object.places.splice(at, 1);
  }

  #forget(object: Entry): void {
    if (object.kind === 'directory') {
      object.removed = true;
      this.#directories.splice(this.#directories.indexOf(object), 1);
    } else if (object.places.length === 0) this.#files.splice(this.#files.indexOf(object), 1);
  }

  pathOf(directory: Directory): string {
    return must(pathOf(this.#mnt, directory), 'a path');
  }

  #path({ directory, name }: Place): string {
    return join(this.pathOf(directory), name);
  }
}

/** Each once. */
export function directoriesWith({ places }: File): Directory[] {
  return [...new Set(places.map(({ directory }) => directory))];
}
