import * as fs from 'node:fs';
import { homedir } from 'node:os';
import * as path from 'node:path';
import { checkDevice, checkMountpoint } from '../../fuse/mount-check.js';
import { isRoot } from '../../fuse/mount-helper.js';
import { addressText } from '../../rpc/socket/address.js';
import type { Arguments } from '../arguments.js';
import { CliError, usageError } from '../cli-error.js';
import type { Command, Context } from '../command.js';
import { READY_FD, reportProgress, reportReady, startInBackground } from '../daemon.js';
import { ExitCode } from '../exit-codes.js';
import { failureOf } from '../failures.js';
import { checkHelper } from '../fuse-available.js';
import { UPGRADE_MESSAGE_OBJECTS } from '../limits.js';
import { OWN_OPTIONS, parseMountOptions } from '../mount-options.js';
import { type MountRequest, mountRequest } from '../mount-request.js';
import type { Served } from '../serve/options.js';
import { extendStart, keepWatchdog, notifyManager } from '../systemd.js';
import { TLS_OPTIONS, tlsArguments } from '../tls-options.js';

/** In the store's directory. */
const LOG_FILE = 'daemon.log';

export const mountCommand: Command = {
  name: 'mount',
  summary: 'Mount a store, in the background once it answers.',
  positionals: [
    { name: 'STORE', help: 'directory of the store; made if it does not exist (not with --mds)' },
    { name: 'MNT', optional: true, help: 'directory to mount it on' },
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
      name: 'mds',
      value: 'ADDR',
      help: 'mount what the server at unix:PATH or tcp:HOST:PORT serves; then no STORE is given. A change of a directory by another mount detaches what is mounted on directories in it',
    },
    ...TLS_OPTIONS,
    {
      name: 'recovery',
      value: 'HOW',
      help: 'after a crash of the server, open files are brought back by reconstruct (default), or by replay-opens as older clients do',
    },
    {
      name: 'through-server',
      help: 'read and write file data through the server, also where their files can be reached',
    },
    {
      name: 'log',
      value: 'FILE',
      help: 'with -f or --mds: write messages there, not to standard output and error',
    },
    {
      name: 'ready-fd',
      value: 'FD',
      help: 'with -f: write one JSON line there when the mount answers',
    },
  ],
  notes: [
    `Mount options: ${OWN_OPTIONS.map(([option, help]) => `${option}: ${help}`).join('; ')}. All generic options of mount(8) are taken too; those without a use here are ignored.`,
    'In the foreground, SIGINT, SIGTERM and SIGHUP unmount. In the background, messages go to STORE/daemon.log; with --mds to /var/log/feedfs, or of an ordinary user to ~/.local/state/feedfs.',
  ],
  run,
};

async function run(args: Arguments, context: Context): Promise<ExitCode> {
  const readyFd = args.integer('ready-fd', READY_FD);
  for (const option of ['ready-fd', 'log']) {
    if (args.value(option) === undefined || args.has('foreground')) continue;
    if (option === 'log' && args.value('mds') !== undefined) continue;
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
  const request = mountRequest(args, context, options);
  const { mountpoint } = request;
  // Before the store is touched, so that a mount that cannot be leaves no trace.
  checkMountpoint(mountpoint);
  checkDevice();
  checkHelper(context.env.PATH);
  if (options.driver === 'fuse-native') await checkFuseNative();
  if (args.has('foreground')) return serveInForeground(request, context, readyFd);
  await startInBackground(childArguments(args, request));
  await checkAnswers(mountpoint);
  return async () => ExitCode.OK;
}

/** Throws MountError with what to install. Nobody else needs the package to be there. */
async function checkFuseNative(): Promise<void> {
  const { loadFuseNative } = await import('../../fuse-native/binding.js');
  loadFuseNative();
}

function childArguments(args: Arguments, request: MountRequest): string[] {
  const options = args.values('options').flatMap((list) => ['-o', list]);
  const own = ['-f', '--ready-fd', `${READY_FD}`];
  if (request.kind === 'store') {
    const log = ['--log', path.join(request.store, LOG_FILE)];
    return ['mount', ...own, ...log, ...options, '--', request.store, request.mountpoint];
  }
  const { address, tls, opens, throughServer, mountpoint } = request;
  const remote = ['--mds', addressText(address), ...tlsArguments(tls)];
  if (opens === 'replay') remote.push('--recovery', 'replay-opens');
  if (throughServer) remote.push('--through-server');
  const log = request.log ?? path.join(logFolder(), `${mountpoint.replaceAll('/', '-')}.log`);
  fs.mkdirSync(path.dirname(log), { recursive: true, mode: 0o700 });
  return ['mount', ...own, '--log', log, ...remote, ...options, '--', mountpoint];
}

/** Of mounts that have no store: of root's those of the machine, of others their own. */
function logFolder(): string {
  if (isRoot()) return '/var/log/feedfs';
  const state = process.env.XDG_STATE_HOME ?? path.join(homedir(), '.local', 'state');
  return path.join(state, 'feedfs');
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

async function serveInForeground(
  request: MountRequest,
  { output, env }: Context,
  readyFd: number | undefined,
): Promise<Wait> {
  const { redirectOutput } = await import('../redirect-output.js');
  const say = (line: string): void => output.message(line);
  const onUpgrade = (done: number): void => {
    if (done % UPGRADE_MESSAGE_OBJECTS !== 0) return;
    say(`upgrading the store, ${done} objects so far`);
    extendStart(env);
    if (readyFd !== undefined) reportProgress(readyFd);
  };
  const onWaiting = (why: string): void => {
    say(why);
    extendStart(env);
    if (readyFd !== undefined) reportProgress(readyFd);
  };
  const served = await serveRequest(request, { onUpgrade, onWaiting, log: say });
  const stop = unmountOnSignals(served, say);
  // Only now is there a store to hold the log.
  if (request.log !== undefined) redirectOutput(request.log);
  if (readyFd !== undefined) reportReady(readyFd, { ready: true });
  else await output.line(`${sourceOf(request)} is mounted on ${request.mountpoint}`);
  notifyManager(env, 'READY=1');
  const endWatchdog = keepWatchdog(env, process.pid);
  return async () => {
    await served.ended;
    endWatchdog();
    stop();
    return ExitCode.OK;
  };
}

function sourceOf(request: MountRequest): string {
  return request.kind === 'store' ? request.store : addressText(request.address);
}

interface Listeners {
  readonly onUpgrade: (done: number) => void;
  readonly onWaiting: (why: string) => void;
  readonly log: (line: string) => void;
}

/** Only this command needs the whole filesystem in memory, and only as much of it as it serves. */
async function serveRequest(request: MountRequest, listeners: Listeners): Promise<Served> {
  if (request.kind === 'server') {
    const { serveRemote } = await import('../serve/remote.js');
    return serveRemote({ ...request, ...listeners });
  }
  if (request.ha) {
    const { serveSupervised } = await import('../serve/supervised.js');
    return serveSupervised({ ...request, ...listeners, logFile: request.log });
  }
  const { serve } = await import('../serve/embedded.js');
  return serve({ ...request, ...listeners });
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
