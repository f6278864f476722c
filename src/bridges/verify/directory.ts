/**
 * A directory of a tree, held open. What is below it is reached through the descriptor, so
 * nothing that is renamed or replaced meanwhile leads anywhere else, and no path is too
 * long. Symlinks are never followed. Every method throws the error of its system call.
 */
import * as fs from 'node:fs';
import { isAclName } from '../../base/xattr-name.js';
import { cString } from '../libc/binding.js';
import { openUnseen } from '../libc/open.js';
import { freshStat } from '../libc/stat.js';
import { getXattrOrThrow, listXattrsOrThrow } from '../libc/xattr.js';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;

const BIGINT = { bigint: true } as const;

export class Directory {
  /** As of the opening. */
  readonly stat: fs.BigIntStats;
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
    this.stat = fs.fstatSync(fd, BIGINT);
  }

  /** The root of a tree; `path` may lead through symlinks. */
  static root(path: string): Directory {
    return Directory.#held(opened(path, O_RDONLY | O_DIRECTORY));
  }

  static #held(fd: number): Directory {
    try {
      return new Directory(fd);
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
  }

  /** Names of what is in it, in the order of their bytes. */
  names(): string[] {
    return fs.readdirSync(`/proc/self/fd/${this.#fd}`, 'latin1').sort();
  }

  lstat(name: string): fs.BigIntStats {
    return fs.lstatSync(this.#pathOf(name), BIGINT);
  }

  readlink(name: string): string {
    return fs.readlinkSync(this.#pathOf(name), 'latin1');
  }

  directory(name: string): Directory {
    return Directory.#held(
      opened(this.#pathOf(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK),
    );
  }

  /** A descriptor of a regular file, to be closed by the caller. */
  file(name: string): number {
    // Should it have become a FIFO meanwhile, opening it must not wait.
    return opened(this.#pathOf(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  }

  /** Of the object with that name, or of the directory itself. */
  xattrNames(name: string | undefined): string[] {
    return listXattrsOrThrow(this.#cPathOf(name));
  }

  xattr(name: string | undefined, attribute: string): Uint8Array | undefined {
    const path = this.#cPathOf(name);
    // Of a copy the kernel may have an old one, until it is asked for the attributes anew.
    if (isAclName(attribute)) freshStat(path);
    return getXattrOrThrow(path, attribute);
  }

  /** Has anything come or gone since it was opened? */
  hasChanged(): boolean {
    const { mtimeNs, nlink } = fs.fstatSync(this.#fd, BIGINT);
    return mtimeNs !== this.stat.mtimeNs || nlink !== this.stat.nlink;
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  #pathOf(name: string): Buffer {
    return Buffer.from(`/proc/self/fd/${this.#fd}/${name}`, 'latin1');
  }

  #cPathOf(name: string | undefined): Buffer {
    return cString(`/proc/self/fd/${this.#fd}/${name ?? '.'}`);
  }
}

function opened(path: string | Buffer, flags: number): number {
  return openUnseen(flags, (given) => fs.openSync(path, given));
}
