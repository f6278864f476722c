/** Unmounting: umount(8) for root, fusermount3(1) for anyone else. */
import { UnmountError, type UnmountErrorCode } from './mount-error.js';
import { isRoot, runHelper } from './mount-helper.js';

export interface UnmountOptions {
  /** Detach now, and end when the last user is gone. */
  readonly lazy?: boolean;
}

/**
 * Unmounts. The process that serves the mount may call this: a child process
 * does it, while requests go on being answered. Throws UnmountError, `busy` if a
 * process still uses the mount.
 */
export async function unmount(mountpoint: string, options: UnmountOptions = {}): Promise<void> {
  const root = isRoot();
  const program = root ? 'umount' : 'fusermount3';
  const args = root ? ['-i'] : ['-u'];
  if (options.lazy) args.push(root ? '-l' : '-z');
  const result = await runHelper(program, [...args, '--', mountpoint]);
  if (result.status === 0) return;
  if (!result.found) {
    throw new UnmountError(
      root ? 'failed' : 'no-fusermount',
      root
        ? 'umount(8) is missing: install it with apt-get install mount'
        : 'fusermount3 is missing: install it with apt-get install fuse3',
    );
  }
  const code = classifyUnmount(result.complaint);
  const said =
    result.complaint === '' ? `${program} exited with ${result.status}` : result.complaint;
  throw new UnmountError(
    code,
    code === 'busy'
      ? `${mountpoint} is in use: close what is open there (fuser -vm ${mountpoint} lists it) or detach it with --lazy`
      : `${mountpoint} cannot be unmounted: ${said}`,
  );
}

/** What a helper's complaint (in English, see runHelper) means. */
export function classifyUnmount(complaint: string): UnmountErrorCode {
  if (/busy/i.test(complaint)) return 'busy';
  if (/not mounted|no mount point|not found in \/etc\/mtab|no such file/i.test(complaint)) {
    return 'not-mounted';
  }
  if (/not permitted|permission denied|must be superuser/i.test(complaint)) return 'not-permitted';
  return 'failed';
}
