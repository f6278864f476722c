/** What /proc tells of other processes; what may not be looked at is passed over. */
import * as fs from 'node:fs';
import koffi from 'koffi';
import { poller } from '../consumer/poller.js';
import { isWithin, type Mount } from './mounts.js';

export interface Holder {
  readonly pid: number;
  readonly command: string;
  /** How it holds the mount: `current directory`, `open file` … */
  readonly by: string;
}

/** All but this one. */
function pids(): number[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid);
}

function linkTarget(link: string): string | undefined {
  try {
    return fs.readlinkSync(link);
  } catch {
    return undefined;
  }
}

function listDirectory(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch {
    return [];
  }
}

function openFiles(pid: number): string[] {
  return listDirectory(`/proc/${pid}/fd`).flatMap(
    (fd) => linkTarget(`/proc/${pid}/fd/${fd}`) ?? [],
  );
}

/** Paths of what the process has mapped: the links' names are address ranges. */
function mappedFiles(pid: number): string[] {
  return listDirectory(`/proc/${pid}/map_files`).flatMap(
    (range) => linkTarget(`/proc/${pid}/map_files/${range}`) ?? [],
  );
}

function commandName(pid: number): string {
  try {
    return fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '?';
  }
}

/** Processes that use something below `mountpoint`, by links only: the mount itself is not asked. */
export function findHolders(mountpoint: string): Holder[] {
  const holds = (file: string | undefined): boolean =>
    file !== undefined && isWithin(file, mountpoint);
  const holders: Holder[] = [];
  for (const pid of pids()) {
    let by: string | undefined;
    if (holds(linkTarget(`/proc/${pid}/cwd`))) by = 'current directory';
    else if (holds(linkTarget(`/proc/${pid}/root`))) by = 'root directory';
    else if (holds(linkTarget(`/proc/${pid}/exe`))) by = 'program';
    else if (openFiles(pid).some(holds)) by = 'open file';
    else if (mappedFiles(pid).some(holds)) by = 'mapped file';
    if (by !== undefined) holders.push({ pid, command: commandName(pid), by });
  }
  return holders;
}

/**
 * The daemons of a mount: they hold the FUSE device of its connection. Kernels that do not tell
 * which connection it is (before Linux 6.16) leave those that hold a file of its store open.
 */
export function findDaemons({ source, device }: Pick<Mount, 'source' | 'device'>): number[] {
  return pids().filter((pid) => {
    const connections = fuseConnections(pid);
    if (connections.includes(minorOf(device))) return true;
    return connections.includes(undefined) && openFiles(pid).some((file) => isWithin(file, source));
  });
}

/** Of each FUSE device that the process holds. */
function fuseConnections(pid: number): (number | undefined)[] {
  const held = listDirectory(`/proc/${pid}/fd`).filter(
    (fd) => linkTarget(`/proc/${pid}/fd/${fd}`) === '/dev/fuse',
  );
  return held.map((fd) => {
    const [, connection] = /^fuse_connection:\s*(\d+)$/m.exec(fdInfo(pid, fd)) ?? [];
    return connection === undefined ? undefined : Number(connection);
  });
}

function fdInfo(pid: number, fd: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1');
  } catch {
    return '';
  }
}

/** Of a device without a major number, as those of FUSE are: st_dev has it in two parts. */
function minorOf(device: number): number {
  return (device % 2 ** 8) + Math.floor(device / 2 ** 20) * 2 ** 8;
}

const libc = koffi.load(null);
const syscall = libc.func('int64_t syscall(int64_t number, int64_t a, int64_t b)') as unknown as (
  number: number,
  a: number,
  b: number,
) => number;

/** The same number on every architecture (asm-generic/unistd.h). */
const SYS_PIDFD_OPEN = 434;

/** Resolves when the process has ended: true, or false if the signal aborts first. pidfd_open(2), poll(2). */
export async function waitForExit(pid: number, signal: AbortSignal): Promise<boolean> {
  const fd = syscall(SYS_PIDFD_OPEN, pid, 0);
  if (fd < 0) return true;
  try {
    return (await poller.wait(fd, signal)) !== 'aborted';
  } finally {
    fs.closeSync(fd);
  }
}
