/** How each competitor is started. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Cleanup } from './cleanup.js';
import { LOGGEDFS_MEMORY_BYTES_MAX, LONG_STOP_WAIT_MS_MAX } from './limits.js';
import type { Peers } from './peers.js';
import { benchProgram, feedfsMain } from './project.js';
import { messageOf, type Server, startServer } from './shell.js';

export interface FeedfsOptions {
  readonly store: string;
  readonly mountpoint: string;
  /** Words of `-o`, for instance visibility=commit. */
  readonly mountOptions?: readonly string[];
  /** How many feeds are on; one unless said. */
  readonly feeds?: number;
}

export interface Feedfs extends Server {
  /** The first of the feeds that are on, and its files. */
  readonly feed: string;
}

const FEED = 'bench';

/** A feedfs mount with its feeds. */
export async function startFeedfs(cleanup: Cleanup, options: FeedfsOptions): Promise<Feedfs> {
  const words = options.mountOptions ?? [];
  const mountOptions = words.length === 0 ? [] : ['-o', words.join(',')];
  const server = await startServer(cleanup, {
    name: ['feedfs', ...words].join(' '),
    command: process.execPath,
    args: [feedfsMain, 'mount', '-f', ...mountOptions, options.store, options.mountpoint],
    mountpoint: options.mountpoint,
    stopMs: LONG_STOP_WAIT_MS_MAX,
  });
  const feed = path.join(options.mountpoint, '.lustre/feeds', FEED);
  const names = Array.from({ length: options.feeds ?? 1 }, (_, i) => (i === 0 ? '' : `-${i}`));
  for (const name of names) fs.mkdirSync(`${feed}${name}`, { recursive: true });
  return { ...server, feed };
}

export function startBindfs(cleanup: Cleanup, source: string, mountpoint: string): Promise<Server> {
  fs.mkdirSync(source, { recursive: true });
  return startServer(cleanup, {
    name: 'bindfs',
    command: 'bindfs',
    args: ['-f', '-o', 'big_writes', source, mountpoint],
    mountpoint,
    stopMs: LONG_STOP_WAIT_MS_MAX,
  });
}

/** Like the sample that the package brings: everything but getattr. */
const LOGGEDFS_CONFIGURATION = `<?xml version="1.0" encoding="UTF-8"?>
<loggedFS logEnabled="true" printProcessName="true">
  <includes><include extension=".*" uid="*" action=".*" retname=".*"/></includes>
  <excludes><exclude extension=".*" uid="*" action="getattr" retname=".*"/></excludes>
</loggedFS>
`;

/**
 * LoggedFS covers the directory itself; its log is written beside it, on the same
 * disk. Without a configuration it logs everything, and is faster.
 */
export function startLoggedfs(cleanup: Cleanup, dir: string, isFiltered: boolean): Promise<Server> {
  const configuration = `${dir}.xml`;
  if (isFiltered) fs.writeFileSync(configuration, LOGGEDFS_CONFIGURATION);
  const filter = isFiltered ? ['-c', configuration] : [];
  const command = ['loggedfs', ...filter, '-f', '-p', '-l', `${dir}.log`, dir];
  return startServer(cleanup, {
    name: isFiltered ? 'LoggedFS -c' : 'LoggedFS',
    command: 'prlimit',
    args: [`--as=${LOGGEDFS_MEMORY_BYTES_MAX}`, ...command],
    mountpoint: dir,
  });
}

export function startMemfs(cleanup: Cleanup, mountpoint: string): Promise<Server> {
  return startServer(cleanup, {
    name: 'memfs',
    command: process.execPath,
    args: [benchProgram('memfs-mount'), mountpoint],
    mountpoint,
  });
}

export function startTraceServer(
  cleanup: Cleanup,
  mountpoint: string,
  trace: string,
): Promise<Server> {
  return startServer(cleanup, {
    name: 'trace server',
    command: process.execPath,
    args: [benchProgram('trace-server'), mountpoint, trace],
    mountpoint,
  });
}

/** Our session with one file and nothing behind it. */
export function startOneFile(
  cleanup: Cleanup,
  mountpoint: string,
  busyPollUs: number,
): Promise<Server> {
  return startServer(cleanup, {
    name: `our session, busy-poll ${busyPollUs} us`,
    command: process.execPath,
    args: [benchProgram('one-file'), mountpoint, String(busyPollUs)],
    mountpoint,
  });
}

export function startOneFileC(
  cleanup: Cleanup,
  program: string,
  mountpoint: string,
): Promise<Server> {
  return startServer(cleanup, {
    name: 'C, libfuse 3',
    command: program,
    args: [mountpoint],
    mountpoint,
  });
}

export function startBinding(
  cleanup: Cleanup,
  kind: 'fuse-native' | 'fuse-napi',
  module: string,
  mountpoint: string,
): Promise<Server> {
  return startServer(cleanup, {
    name: kind,
    command: process.execPath,
    args: [benchProgram('one-file-binding'), kind, module, mountpoint],
    mountpoint,
  });
}

/** All one-file servers that can run here. */
export async function startOneFileServers(
  cleanup: Cleanup,
  peers: Peers,
  dir: string,
): Promise<{ readonly servers: readonly Server[]; readonly failed: readonly string[] }> {
  const servers: Server[] = [];
  const failed: string[] = [];
  const at = (name: string) => path.join(dir, name);
  const starts: (() => Promise<Server>)[] = [
    () => startOneFile(cleanup, at('one-file-50'), 50),
    () => startOneFile(cleanup, at('one-file-0'), 0),
  ];
  const { oneFileC, fuseNative, fuseNapi } = peers;
  if (oneFileC !== undefined) starts.push(() => startOneFileC(cleanup, oneFileC, at('one-file-c')));
  if (fuseNative !== undefined)
    starts.push(() => startBinding(cleanup, 'fuse-native', fuseNative, at('fuse-native')));
  if (fuseNapi !== undefined)
    starts.push(() => startBinding(cleanup, 'fuse-napi', fuseNapi, at('fuse-napi')));
  for (const start of starts) {
    try {
      servers.push(await start());
    } catch (error) {
      failed.push(messageOf(error));
    }
  }
  return { servers, failed };
}
