import { UnmountError } from '../../fuse/mount-error.js';
import { unmount } from '../../fuse/unmount.js';
import type { Arguments } from '../arguments.js';
import { CliError } from '../cli-error.js';
import type { Command, Context } from '../command.js';
import { type DaemonLog, daemonLog, NOT_SAVED } from '../daemon-log.js';
import { ExitCode } from '../exit-codes.js';
import { DAEMON_EXIT_MS_MAX, HOLDERS_SHOWN_MAX } from '../limits.js';
import { FILESYSTEM_TYPE, mountpointPath, readMounts } from '../mounts.js';
import { findDaemons, findHolders, type Holder, waitForExit } from '../processes.js';

export const umountCommand: Command = {
  name: 'umount',
  summary: 'Unmount, and wait until the daemon has ended.',
  positionals: [{ name: 'MNT', help: 'where it is mounted' }],
  options: [
    {
      name: 'lazy',
      short: 'l',
      help: 'take it out of the tree now, also while in use; the daemon ends with the last use',
    },
  ],
  notes: ['When the mount is in use, the command says by whom and exits with 4.'],
  run,
};

async function run(args: Arguments, { cwd }: Context): Promise<ExitCode> {
  const mountpoint = mountpointPath(args.required('MNT'), cwd);
  const mount = readMounts().findLast((candidate) => candidate.mountpoint === mountpoint);
  if (mount === undefined) {
    throw new CliError(ExitCode.NO_MOUNT, `nothing is mounted on ${mountpoint}`);
  }
  if (mount.type !== FILESYSTEM_TYPE) {
    const message = `${mountpoint} is not a feedfs but ${mount.type}; use umount`;
    throw new CliError(ExitCode.NO_MOUNT, message);
  }
  const daemons = findDaemons(mount).map((pid) => ({ pid, log: daemonLog(pid) }));
  await unmountOrExplain(mountpoint, args.has('lazy'));
  if (!args.has('lazy')) await waitForDaemons(daemons, mount.source);
  return ExitCode.OK;
}

/** As fuse's unmount; when the mount is in use the error says by whom. */
async function unmountOrExplain(mountpoint: string, lazy: boolean): Promise<void> {
  try {
    await unmount(mountpoint, { lazy });
  } catch (error) {
    if (!(error instanceof UnmountError) || error.code !== 'busy') throw error;
    throw new CliError(ExitCode.BUSY, busyMessage(mountpoint, findHolders(mountpoint)));
  }
}

function busyMessage(mountpoint: string, holders: readonly Holder[]): string {
  const lines = holders
    .slice(0, HOLDERS_SHOWN_MAX)
    .map(({ pid, command, by }) => `  ${command} (pid ${pid}): ${by}`);
  const more = holders.length - lines.length;
  if (more > 0) lines.push(`  and ${more} more`);
  if (lines.length === 0) lines.push('  by a process that this user may not see');
  return [`${mountpoint} is in use; feedfs umount -l detaches it all the same`, ...lines].join(
    '\n',
  );
}

/** Once this returns the store is closed: it can be mounted again at once. */
async function waitForDaemons(
  daemons: readonly { readonly pid: number; readonly log: DaemonLog | undefined }[],
  store: string,
): Promise<void> {
  const signal = AbortSignal.timeout(DAEMON_EXIT_MS_MAX);
  for (const { pid, log } of daemons) {
    if (await waitForExit(pid, signal)) {
      // Its exit code is its parent's to know.
      if (log?.().includes(NOT_SAVED) === true) {
        throw new CliError(ExitCode.FAILURE, `unmounted, but ${NOT_SAVED}`);
      }
      continue;
    }
    const message = `unmounted, but the daemon (pid ${pid}) still writes out ${store}`;
    throw new CliError(ExitCode.FAILURE, message);
  }
}
