/** What ends a server, or asks it for something, from the outside: signals, and whoever supervises it. */
import { Socket } from 'node:net';
import { failureOf } from '../failures.js';
import { UNUSED_LOOK_MS } from '../limits.js';
import { keepWatchdog, notifyManager } from '../systemd.js';
import type { ServedStore } from './mds.js';

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A pipe that the supervisor holds: when it is closed, the server ends as soon as nobody uses it. */
  readonly supervisedFd: number | undefined;
  /** {@link toldToStop}, asked before anybody could. */
  readonly told: Promise<void>;
}

/** SIGTERM or SIGINT. From here on they end nothing by themselves. */
export function toldToStop(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}

/** Resolves when the server was told to end, and has. */
export async function runUntilStopped(
  served: ServedStore,
  { env, supervisedFd, told }: Surroundings,
): Promise<void> {
  const endWatchdog = keepWatchdog(env, process.pid);
  const endStatus = tellStatus(served, env);
  await new Promise<void>((resolve) => {
    told.then(resolve);
    process.on('SIGHUP', () => rotate(served));
    if (supervisedFd !== undefined) whenUnused(served, supervisedFd, resolve);
  });
  notifyManager(env, 'STOPPING=1');
  endStatus();
  await served.stop();
  endWatchdog();
}

function rotate(served: ServedStore): void {
  try {
    served.rotateKey();
  } catch (error) {
    console.error(`feedfs: the key was not rotated: ${failureOf(error).message}`);
  }
}

/** Calls back once the supervisor is gone and nobody is connected. */
function whenUnused(served: ServedStore, fd: number, unused: () => void): void {
  const look = (): void => {
    if (served.clientCount === 0) unused();
    else setTimeout(look, UNUSED_LOOK_MS);
  };
  const pipe = new Socket({ fd, readable: true, writable: false });
  pipe.on('error', () => {});
  pipe.on('close', look);
  pipe.resume();
}

/** A line for `systemctl status`, when it changes. */
function tellStatus(
  served: ServedStore,
  env: Readonly<Record<string, string | undefined>>,
): () => void {
  if (env.NOTIFY_SOCKET === undefined) return () => {};
  let told = '';
  const tell = (): void => {
    const { state, clients } = served.status();
    const missing = clients.filter((client) => client.state === 'missing').length;
    const rest = missing === 0 ? '' : `, ${missing} missing`;
    const line = `STATUS=recovery ${state}, ${clients.length} mounts${rest}`;
    if (line !== told) notifyManager(env, line);
    told = line;
  };
  tell();
  const timer = setInterval(tell, STATUS_TOLD_MS);
  timer.unref();
  return () => clearInterval(timer);
}

const STATUS_TOLD_MS = 1_000;
