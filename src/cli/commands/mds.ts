import * as path from 'node:path';
import { addressText } from '../../rpc/socket/address.js';
import type { Arguments } from '../arguments.js';
import { parseInteger } from '../arguments.js';
import { usageError } from '../cli-error.js';
import type { Command, Context } from '../command.js';
import { READY_FD, reportProgress, reportReady, startInBackground } from '../daemon.js';
import { ExitCode } from '../exit-codes.js';
import { failureOf } from '../failures.js';
import {
  ALLOW_UIDS_MAX,
  BUSY_POLL_US_MAX,
  LISTEN_MAX,
  RECOVERY_WINDOW_SEC_DEFAULT,
  RECOVERY_WINDOW_SEC_MAX,
  UPGRADE_MESSAGE_OBJECTS,
} from '../limits.js';
import { parseMetricsAddress } from '../metrics-address.js';
import { absolutePath } from '../mounts.js';
import type { ListenPlace } from '../serve/listeners.js';
import type { MdsOptions, ServedStore } from '../serve/mds.js';
import { rotateKey } from '../serve/rotate-key.js';
import { runUntilStopped, toldToStop } from '../serve/running.js';
import { explainLocked } from '../serve/store-state.js';
import { absoluteAddress, addressOption } from '../server-address.js';
import { extendStart, listenFds, notifyManager } from '../systemd.js';
import { TLS_OPTIONS, tlsArguments, tlsFiles } from '../tls-options.js';

/** In the store's directory. */
const LOG_FILE = 'mds.log';

export const mdsCommand: Command = {
  name: 'mds',
  summary: 'Serve a store to mounts of other processes, in the background once it listens.',
  positionals: [{ name: 'STORE', help: 'directory of the store; made if it does not exist' }],
  options: [
    {
      name: 'listen',
      value: 'ADDR',
      multiple: true,
      help: 'unix:PATH or tcp:HOST:PORT; may be repeated',
    },
    ...TLS_OPTIONS,
    {
      name: 'allow-uid',
      value: 'UID',
      multiple: true,
      help: "lets in mounts of this user, beside root's and the server's own",
    },
    {
      name: 'recovery-window',
      value: 'SECONDS',
      help: `after a crash, mounts that do not come back within it lose what they had open (default ${RECOVERY_WINDOW_SEC_DEFAULT})`,
    },
    { name: 'user-watch', help: 'other users may open .lustre/watch' },
    { name: 'visibility', value: 'WHEN', help: 'disk (default) or commit, as -o visibility=' },
    {
      name: 'busy-poll',
      value: 'US',
      help: 'microseconds that it keeps asking its sockets after a message (0: never; only unix:)',
    },
    { name: 'metrics', value: 'WHERE', help: 'statistics for Prometheus, as -o metrics=' },
    { name: 'foreground', short: 'f', help: 'stay in the foreground until stopped' },
    { name: 'log', value: 'FILE', help: 'with -f: write messages there' },
    { name: 'ready-fd', value: 'FD', help: 'with -f: write one JSON line there when it listens' },
    {
      name: 'supervised-fd',
      value: 'FD',
      help: 'with -f: once this is closed, end when nobody is connected',
    },
    { name: 'rotate-key', help: 'nothing else: a new key signs from now on, also if it is served' },
  ],
  notes: [
    'SIGTERM and SIGINT end it with everything on disk, and mounts wait until it is back. SIGHUP rotates the key.',
    'With systemd, sockets that it made are listened on (LISTEN_FDS), and readiness is told (Type=notify).',
  ],
  run,
};

async function run(args: Arguments, context: Context): Promise<ExitCode> {
  const store = absolutePath(args.required('STORE'), context.cwd);
  if (args.has('rotate-key')) {
    await rotateKey(store);
    return ExitCode.OK;
  }
  const readyFd = args.integer('ready-fd', READY_FD);
  for (const option of ['ready-fd', 'log', 'supervised-fd']) {
    if (args.value(option) === undefined || args.has('foreground')) continue;
    throw usageError(`--${option} needs -f`);
  }
  const options = optionsOf(args, context, store);
  if (!args.has('foreground')) {
    await startInBackground(childArguments(args, options));
    return ExitCode.OK;
  }
  // As soon as it is ready somebody may stop it.
  const told = toldToStop();
  let served: ServedStore;
  try {
    served = await serve(options, args, context, readyFd);
  } catch (error) {
    if (readyFd === undefined) throw error;
    const failure = failureOf(error);
    reportReady(readyFd, { ready: false, failure: { ...failure } });
    return failure.exitCode;
  }
  const supervisedFd = args.integer('supervised-fd', READY_FD);
  await runUntilStopped(served, { env: context.env, supervisedFd, told });
  return ExitCode.OK;
}

type Parsed = Omit<MdsOptions, 'onUpgrade' | 'log'>;

function optionsOf(args: Arguments, { env, cwd }: Context, store: string): Parsed {
  const addresses = args
    .values('listen')
    .map((text) => absoluteAddress(addressOption(text, '--listen'), cwd));
  const inherited = listenFds(env, process.pid);
  const listen: ListenPlace[] = [
    ...inherited.map((fd) => ({ fd })),
    ...addresses.map((address) => ({ address })),
  ];
  if (listen.length === 0) throw usageError('--listen ADDR is missing');
  if (listen.length > LISTEN_MAX) throw usageError(`at most ${LISTEN_MAX} addresses`);
  if (inherited.length > 0 && !args.has('foreground')) {
    throw usageError('with sockets of a service manager, -f is needed');
  }
  const isTcp = addresses.some(({ kind }) => kind === 'tcp');
  const uids = args.values('allow-uid');
  if (uids.length > ALLOW_UIDS_MAX) throw usageError(`at most ${ALLOW_UIDS_MAX} --allow-uid`);
  const seconds = args.integer('recovery-window', 1, RECOVERY_WINDOW_SEC_MAX);
  const metrics = args.value('metrics');
  return {
    store,
    listen,
    tls: tlsFiles(args, cwd, isTcp),
    allowUids: uids.map((uid) => parseInteger(uid, '--allow-uid', 0, 2 ** 32 - 2)),
    windowUs: (seconds ?? RECOVERY_WINDOW_SEC_DEFAULT) * 1e6,
    busyPollUs: args.integer('busy-poll', 0, BUSY_POLL_US_MAX),
    visibility: visibilityOf(args.value('visibility')),
    userWatch: args.has('user-watch'),
    metrics: metrics === undefined ? undefined : parseMetricsAddress(metrics),
  };
}

function visibilityOf(text = 'disk'): 'disk' | 'commit' {
  if (text === 'disk' || text === 'commit') return text;
  throw usageError('--visibility takes disk or commit');
}

/** The same command for the process in the background, whose directory is another one. */
function childArguments(args: Arguments, { store, listen, tls }: Parsed): string[] {
  const own = ['-f', '--ready-fd', `${READY_FD}`, '--log', path.join(store, LOG_FILE)];
  const at = listen.flatMap((place) =>
    'address' in place ? ['--listen', addressText(place.address)] : [],
  );
  const passed = ['recovery-window', 'visibility', 'busy-poll', 'metrics'].flatMap((option) => {
    const value = args.value(option);
    return value === undefined ? [] : [`--${option}`, value];
  });
  const users = args.values('allow-uid').flatMap((uid) => ['--allow-uid', uid]);
  const flags = args.has('user-watch') ? ['--user-watch'] : [];
  return ['mds', ...own, ...at, ...tlsArguments(tls), ...passed, ...users, ...flags, '--', store];
}

/** Serves it; whoever waits for it is told. */
async function serve(
  options: Parsed,
  args: Arguments,
  { output, env }: Context,
  readyFd: number | undefined,
): Promise<ServedStore> {
  // Only this command needs a whole server in memory.
  const { serveStore } = await import('../serve/mds.js');
  const { redirectOutput } = await import('../redirect-output.js');
  const onUpgrade = (done: number): void => {
    if (done % UPGRADE_MESSAGE_OBJECTS !== 0) return;
    output.message(`upgrading the store, ${done} objects so far`);
    extendStart(env);
    if (readyFd !== undefined) reportProgress(readyFd);
  };
  const log = (line: string): void => output.message(line);
  const served = await serveStore({ ...options, onUpgrade, log }).catch((error: unknown) => {
    throw explainLocked(options.store, error);
  });
  const logFile = args.value('log');
  // Only now is there a store to hold the log.
  if (logFile !== undefined) redirectOutput(logFile);
  if (readyFd !== undefined) reportReady(readyFd, { ready: true });
  else await output.line(`${options.store} is served at ${served.addresses.join(', ')}`);
  notifyManager(env, 'READY=1');
  return served;
}
