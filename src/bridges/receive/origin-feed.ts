/**
 * The feed that a stream says it comes from, where that is a feed of a feedfs mounted here.
 *
 * A stream may say anything, and whoever receives it may be root. So a directory is believed
 * only where the kernel itself lists a feedfs; from there on everything is relative to one
 * descriptor, through no symbolic link, and only regular files of that mount are used.
 */
import * as fs from 'node:fs';
import { FEEDFS_TYPE, type MountEntry, parseMountinfo } from '../../base/mountinfo.js';
import { punchHole } from '../../consumer/feed-file.js';
import { parseInfo } from '../../consumer/info.js';
import { readToEnd } from '../../consumer/text-file.js';
import type { AcknowledgedFeed } from './confirm.js';

const { O_RDONLY, O_WRONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
const FEEDS = '/.lustre/feeds/';

export function mountsHere(): readonly MountEntry[] {
  return parseMountinfo(fs.readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** The mount whose feed has that directory, by name alone; undefined if there is none. */
export function mountOfFeed(
  directory: string,
  mounts: readonly MountEntry[],
): MountEntry | undefined {
  const at = directory.lastIndexOf(FEEDS);
  const name = directory.slice(at + FEEDS.length);
  if (at < 0 || name === '' || name === '.' || name === '..' || /[/\0]/.test(name))
    return undefined;
  const mountpoint = at === 0 ? '/' : directory.slice(0, at);
  // Of several on one directory the topmost is listed last.
  const mount = mounts.findLast((one) => one.mountpoint === mountpoint);
  return mount?.type === FEEDFS_TYPE && mount.root === '/' ? mount : undefined;
}

/** Undefined unless it is one; otherwise the errors of open(2). */
export function openOriginFeed(
  directory: string,
  mounts: readonly MountEntry[] = mountsHere(),
): AcknowledgedFeed | undefined {
  const mount = mountOfFeed(directory, mounts);
  if (mount === undefined) return undefined;
  const fd = fs.openSync(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (fs.fstatSync(fd).dev === mount.device) return new OriginFeed(directory, fd, mount.device);
  fs.closeSync(fd);
  return undefined;
}

class OriginFeed implements AcknowledgedFeed {
  /** For messages. */
  readonly #path: string;
  readonly #directory: number;
  readonly #device: number;
  #stream: number | undefined;

  constructor(path: string, directory: number, device: number) {
    this.#path = path;
    this.#directory = directory;
    this.#device = device;
  }

  async info() {
    const fd = this.#open('info', O_RDONLY);
    try {
      const read = async (into: Buffer) => ({ bytesRead: fs.readSync(fd, into) });
      return parseInfo(await readToEnd({ read }, this.#path), this.#path);
    } finally {
      fs.closeSync(fd);
    }
  }

  async acknowledgeLog(range: { readonly offset: number; readonly length: number }): Promise<void> {
    this.#stream ??= this.#open('stream', O_WRONLY);
    await punchHole(this.#stream, this.#path, range.offset, range.length);
  }

  close(): void {
    if (this.#stream !== undefined) fs.closeSync(this.#stream);
    this.#stream = undefined;
    fs.closeSync(this.#directory);
  }

  #open(name: string, mode: number): number {
    // The directory itself is what the link of the descriptor leads to, wherever it is by now.
    const file = `/proc/self/fd/${this.#directory}/${name}`;
    const fd = fs.openSync(file, mode | O_NOFOLLOW | O_NONBLOCK);
    const stat = fs.fstatSync(fd);
    if (stat.isFile() && stat.dev === this.#device) return fd;
    fs.closeSync(fd);
    throw new Error(`${this.#path}/${name} is no file of a feed`);
  }
}
