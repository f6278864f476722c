/**
 * What systemd and a service say to each other: descriptors of sockets that it made
 * (sd_listen_fds(3)), and datagrams on $NOTIFY_SOCKET (sd_notify(3)). Without systemd none of
 * this does anything.
 */
import { closeSync } from 'node:fs';
import koffi from 'koffi';
import { START_EXTENDED_US } from './limits.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** The first descriptor that is handed over. */
const LISTEN_FDS_START = 3;

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
/** sun_path of unix(7). */
const PATH_BYTES_MAX = 108;

const libc = koffi.load(null);
const socket: (domain: number, type: number, protocol: number) => number = libc.func(
  'int socket(int domain, int type, int protocol)',
);
const sendto: (
  fd: number,
  bytes: Uint8Array,
  length: number,
  flags: number,
  address: Uint8Array,
  addressBytes: number,
) => number = libc.func(
  'int64_t sendto(int fd, const uint8_t *bytes, size_t length, int flags, const uint8_t *address, uint32_t addressBytes)',
);

/** Descriptors that listen already, for this process only. */
export function listenFds(env: Environment, pid: number): number[] {
  const count = Number(env.LISTEN_FDS);
  if (Number(env.LISTEN_PID) !== pid || !Number.isInteger(count) || count <= 0) return [];
  return Array.from({ length: count }, (_, i) => LISTEN_FDS_START + i);
}

/** Half of the time in which a sign of life is expected, in ms; undefined: none is. */
export function watchdogMs(env: Environment, pid: number): number | undefined {
  const us = Number(env.WATCHDOG_USEC);
  const forUs = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === pid;
  return forUs && Number.isInteger(us) && us > 0 ? us / 2000 : undefined;
}

/** Tells the service manager, if there is one; that it does not listen is no failure. */
export function notifyManager(env: Environment, state: string): void {
  const name = env.NOTIFY_SOCKET;
  if (name === undefined || !/^[/@]./.test(name)) return;
  if (Buffer.byteLength(name) >= PATH_BYTES_MAX) return;
  const fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const bytes = Buffer.from(state);
  const address = unixAddress(name);
  sendto(fd, bytes, bytes.length, MSG_NOSIGNAL, address, address.length);
  closeSync(fd);
}

/** What is begun takes longer: it is given {@link START_EXTENDED_US} from now on (TimeoutStartSec=). */
export function extendStart(env: Environment): void {
  notifyManager(env, `EXTEND_TIMEOUT_USEC=${START_EXTENDED_US}`);
}

/** sockaddr_un; `@` begins the name of an abstract one. */
function unixAddress(name: string): Buffer {
  const path = Buffer.from(name);
  const address = Buffer.alloc(2 + path.length + (name.startsWith('@') ? 0 : 1));
  address.writeUInt16LE(AF_UNIX, 0);
  path.copy(address, 2);
  if (name.startsWith('@')) address[2] = 0;
  return address;
}

/** Signs of life for as long as the event loop turns; what is returned ends them. */
export function keepWatchdog(env: Environment, pid: number): () => void {
  const ms = watchdogMs(env, pid);
  if (ms === undefined) return () => {};
  const timer = setInterval(() => notifyManager(env, 'WATCHDOG=1'), ms);
  timer.unref();
  return () => clearInterval(timer);
}
