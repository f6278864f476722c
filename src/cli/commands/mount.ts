import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkDevice, checkMountpoint } from '../../fuse/mount-check.js';
import { isRoot } from '../../fuse/mount-helper.js';
import type { Arguments } from '../arguments.js';
import { CliError, usageError } from '../cli-error.js';
import type { Command, Context } from '../command.js';
import { READY_FD, reportProgress, reportReady, startInBackground } from '../daemon.js';
import { ExitCode } from '../exit-codes.js';
import { failureOf } from '../failures.js';
import { checkHelper } from '../fuse-available.js';
import { UPGRADE_MESSAGE_OBJECTS } from '../limits.js';
import { type MountOptions, OWN_OPTIONS, parseMountOptions } from '../mount-options.js';
import { absolutePath, isWithin } from '../mounts.js';
import type { Served, ServeOptions } from '../wire-up.js';

/** In the store's directory. */
const LOG_FILE = 'daemon.log';

export const mountCommand: Command = {
  name: 'mount',
  summary: 'Mount a store, in the background once it answers.',
  positionals: [
    { name: 'STORE', help: 'directory of the store; made if it does not exist' },
    { name: 'MNT', help: 'directory to mount it on' },
  ],
  options: [
    { name: 'foreground', short: 'f', help: 'stay in the foreground until unmounted' },
    {
      name: 'options',
      short: 'o',
      value: 'OPTS',
      multiple: true,
      help: 'mount options, separated by commas',
    },
    {
      name: 'log',
      value: 'FILE',
      help: 'with -f: write messages there, not to standard output and error',
    },
    {
      name: 'ready-fd',
      value: 'FD',
      help: 'with -f: write one JSON line there when the mount answers',
    },
  ],
  notes: [
    `Mount options: ${OWN_OPTIONS.map(([option, help]) => `${option}: ${help}`).join('; ')}. All generic options of mount(8) are taken too; those without a use here are ignored.`,
    'In the foreground, SIGINT, SIGTERM and SIGHUP unmount. In the background, messages go to STORE/daemon.log.',
  ],
  run,
};

async function run(args: Arguments, context: Context): Promise<ExitCode> {
  const readyFd = args.integer('ready-fd', READY_FD);
  for (const option of ['ready-fd', 'log']) {
    if (args.value(option) === undefined || args.has('foreground')) continue;
    throw usageError(`--${option} needs -f`);
  }
  let wait: Wait;
  try {
    wait = await mount(args, context, readyFd);
  } catch (error) {
    if (readyFd === undefined) throw error;
    const failure = failureOf(error);
    reportReady(readyFd, { ready: false, failure: { ...failure } });
    return failure.exitCode;
  }
  // From here on nobody listens to the descriptor any more.
  return wait();
}

/** Waits for the end of what was mounted. */
type Wait = () => Promise<ExitCode>;

async function mount(
  args: Arguments,
  context: Context,
  readyFd: number | undefined,
): Promise<Wait> {
  const rights = { root: isRoot(), selinux: fs.existsSync('/sys/fs/selinux/enforce') };
  const options = parseMountOptions(args.values('options'), rights);
  const store = absolutePath(args.required('STORE'), context.cwd);
  const mountpoint = absolutePath(args.required('MNT'), context.cwd);
  checkPlaces(store, mountpoint);
  // Before the store is touched, so that a mount that cannot be leaves no trace.
  checkMountpoint(mountpoint);
  checkDevice();
  checkHelper(context.env.PATH);
  if (options.driver === 'fuse-native') await checkFuseNative();
  if (args.has('foreground')) {
    return serveInForeground(
      { store, mountpoint, ...options },
      context,
      args.value('log'),
      readyFd,
    );
  }
  await startInBackground(programPath(), childArguments(args, store, mountpoint));
  await checkAnswers(mountpoint);
  return async () => ExitCode.OK;
}

/** Throws MountError with what to install. Nobody else needs the package to be there. */
async function checkFuseNative(): Promise<void> {
  const { loadFuseNative } = await import('../../fuse-native/binding.js');
  loadFuseNative();
}

/** This file is commands/mount.js; the program is main.js beside that directory. */
function programPath(): string {
  return path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'main.js');
}

function childArguments(args: Arguments, store: string, mountpoint: string): string[] {
  const options = args.values('options').flatMap((list) => ['-o', list]);
  const own = ['-f', '--ready-fd', `${READY_FD}`, '--log', path.join(store, LOG_FILE)];
  return ['mount', ...own, ...options, '--', store, mountpoint];
}

function checkPlaces(store: string, mountpoint: string): void {
  if (isWithin(store, mountpoint) || isWithin(mountpoint, store)) {
    throw usageError(
      `the store ${store} and the mountpoint ${mountpoint} must not lie in each other`,
    );
  }
}

/** statfs(2) from this process: the kernel, the daemon and the store are all there. */
async function checkAnswers(mountpoint: string): Promise<void> {
  try {
    await fs.promises.statfs(mountpoint);
  } catch (error) {
    const message = `${mountpoint} is mounted but does not answer`;
    throw new CliError(ExitCode.FAILURE, message, { cause: error });
  }
}

type Places = Pick<ServeOptions, 'store' | 'mountpoint'> & MountOptions;

async function serveInForeground(
  options: Places,
  { output }: Context,
  log: string | undefined,
  readyFd: number | undefined,
): Promise<Wait> {
  // Only this command needs the whole filesystem in memory.
  const { serve } = await import('../wire-up.js');
  const { redirectOutput } = await import('../redirect-output.js');
  const onUpgrade = (done: number): void => {
    if (done % UPGRADE_MESSAGE_OBJECTS !== 0) return;
    output.message(`upgrading the store, ${done} objects so far`);
    if (readyFd !== undefined) reportProgress(readyFd);
  };
  const served = await serve({ ...options, onUpgrade });
  const stop = unmountOnSignals(served, output.message.bind(output));
  // Only now is there a store to hold the log.
  if (log !== undefined) redirectOutput(log);
  if (readyFd !== undefined) reportReady(readyFd, { ready: true });
  else await output.line(`${options.store} is mounted on ${options.mountpoint}`);
  return async () => {
    await served.ended;
    stop();
    return ExitCode.OK;
  };
}

/** A first signal unmounts; when something still uses the mount the daemon says so and goes on. */
function unmountOnSignals(served: Served, say: (message: string) => void): () => void {
  let unmounting = false;
  const onSignal = (): void => {
    if (unmounting) return;
    unmounting = true;
    served
      .unmount()
      .catch((error: unknown) => say(failureOf(error).message))
      .finally(() => {
        unmounting = false;
      });
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
}
