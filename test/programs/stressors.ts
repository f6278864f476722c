/** stress-ng's stressors that say something about a filesystem, each bounded to a fraction of a second or two. */

export interface Stressor {
  readonly name: string;
  /** What follows the stressor's own `--NAME COUNT`. */
  readonly args: readonly string[];
  /** Processes of it at work at the same time. */
  readonly instances: number;
}

const INSTANCES = 2;

/** `ops` rounds, shared by all instances, and further options. */
function rounds(name: string, ops: number, ...args: string[]): Stressor {
  return { name, args: [`--${name}-ops`, `${ops}`, ...args], instances: INSTANCES };
}

/** For a stressor whose second instance waits for ever if the first is done before it began. */
function alone(name: string, ops: number): Stressor {
  return { ...rounds(name, ops), instances: 1 };
}

/** For a stressor whose single round takes seconds or never ends: `seconds`, by one instance. */
function timed(name: string, seconds: number, ...args: string[]): Stressor {
  return { name, args: ['--timeout', `${seconds}`, ...args], instances: 1 };
}

/** Names and directories. */
const NAMES: readonly Stressor[] = [
  rounds('access', 300),
  rounds('chdir', 2, '--chdir-dirs', '500'),
  rounds('dentry', 500),
  rounds('dir', 200, '--dir-dirs', '256'),
  rounds('dirdeep', 200, '--dirdeep-dirs', '2', '--dirdeep-inodes', '200'),
  rounds('dirmany', 1000),
  rounds('filename', 60),
  rounds('getdent', 1000),
  rounds('handle', 1000),
  timed('link', 1),
  rounds('mknod', 500),
  rounds('open', 2000),
  rounds('rename', 1000),
  timed('symlink', 1),
  rounds('touch', 300),
];

const ATTRIBUTES: readonly Stressor[] = [
  rounds('chattr', 10),
  alone('chmod', 50),
  alone('chown', 100),
  rounds('file-ioctl', 200),
  rounds('fstat', 300),
  rounds('utime', 200),
];

/** Gives a file 4,096 extended attributes, more than ext4 can hold. */
export const XATTR = timed('xattr', 1);

const DATA: readonly Stressor[] = [
  rounds('aio', 500),
  rounds('aiol', 50),
  rounds('copy-file', 20),
  rounds('fallocate', 10, '--fallocate-bytes', '16M'),
  timed('fpunch', 1),
  rounds('fsize', 50),
  rounds('hdd', 300, '--hdd-bytes', '8M'),
  rounds('io', 50),
  rounds('iomix', 100, '--iomix-bytes', '8M'),
  rounds('readahead', 500, '--readahead-bytes', '16M'),
  rounds('revio', 500, '--revio-bytes', '16M'),
  rounds('seek', 200, '--seek-size', '16M'),
  rounds('sendfile', 100),
  rounds('splice', 100),
  rounds('sync-file', 20, '--sync-file-bytes', '8M'),
];

const MAPPED: readonly Stressor[] = [
  rounds('fault', 300),
  rounds('madvise', 5),
  rounds('mmap', 1, '--mmap-file', '--mmap-bytes', '1M'),
  rounds('msync', 100),
];

/** Descriptors, locks and notification. */
const OPEN_FILES: readonly Stressor[] = [
  rounds('dnotify', 50),
  rounds('dup', 30),
  rounds('fanotify', 100),
  rounds('fcntl', 300),
  rounds('flock', 5000),
  timed('inotify', 1),
  rounds('lease', 5),
  rounds('locka', 5000),
  rounds('lockf', 2000),
  rounds('lockofd', 5000),
];

export const STRESSORS: readonly Stressor[] = [
  ...NAMES,
  ...ATTRIBUTES,
  ...DATA,
  ...MAPPED,
  ...OPEN_FILES,
];

/** What stress-ng counts to the same class and is not run, and why. */
export const NOT_RUN: Readonly<Record<string, string>> = {
  'bind-mount': 'binds system folders, and is refused without --pathological',
  binderfs: 'mounts a filesystem of its own',
  eventfd: 'no filesystem is involved',
  fiemap: 'the FUSE protocol has no FIEMAP: skips itself on every FUSE mount',
  'inode-flags': 'does nothing where FS_IOC_GETFLAGS is not supported, for a second at least',
  ioprio: 'about the priority of I/O on block devices',
  procfs: 'reads /proc',
  verity: 'the FUSE protocol has no way to enable fs-verity: skips itself on every FUSE mount',
};
