/** A metadata server and mounts of it, as processes, all gone after the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { MAIN, withFolder } from '../support/mount.js';
import { detach, isMounted } from '../support/mounts.js';
import { exitOf, run, within } from '../support/processes.js';

const READY_MS = 30_000;
const END_MS = 30_000;

export interface Daemon {
  readonly process: ChildProcess;
  /** What it has written so far. */
  readonly log: () => string;
}

export class Site {
  readonly folder: string;
  readonly store: string;
  readonly address: string;
  readonly #daemons: Daemon[] = [];
  readonly #mountpoints: string[] = [];

  constructor(folder: string) {
    this.folder = folder;
    this.store = join(folder, 'store');
    this.address = `unix:${join(folder, 'socket')}`;
  }

  /** `feedfs mds`, ready. */
  serve(...options: string[]): Promise<Daemon> {
    return this.start(['mds', '-f', '--listen', this.address, ...options, this.store]);
  }

  /** `feedfs mount --mds`, ready; `name` is that of its mountpoint in the folder. */
  mount(name: string, ...options: string[]): Promise<Daemon> {
    const mountpoint = this.mountpoint(name);
    return this.start(['mount', '-f', '--mds', this.address, ...options, mountpoint]);
  }

  mountpoint(name: string): string {
    const mountpoint = join(this.folder, name);
    fs.mkdirSync(mountpoint, { recursive: true });
    if (!this.#mountpoints.includes(mountpoint)) this.#mountpoints.push(mountpoint);
    return mountpoint;
  }

  async start(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Daemon> {
    const [command = '', ...rest] = argv;
    const args = [MAIN, command, '--ready-fd', '3', ...rest];
    const process_ = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    let log = '';
    for (const stream of [process_.stdout, process_.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        log += chunk.toString();
      });
    }
    const daemon = { process: process_, log: () => log };
    this.#daemons.push(daemon);
    const line = await within(textOf(process_.stdio[3] as Readable), READY_MS, argv.join(' '));
    if (line.includes('"ready":true')) return daemon;
    throw new Error(`not ready: ${line}${log}`);
  }

  /** Unmounts; the daemon must end well. */
  async unmount(name: string, daemon: Daemon): Promise<void> {
    const { code, stderr } = await run('umount', [join(this.folder, name)]);
    if (code !== 0) throw new Error(stderr);
    await this.ended(daemon);
  }

  /** SIGTERM, and a good end. */
  async stop(daemon: Daemon): Promise<void> {
    daemon.process.kill('SIGTERM');
    await this.ended(daemon);
  }

  async kill(daemon: Daemon): Promise<void> {
    daemon.process.kill('SIGKILL');
    await within(exitOf(daemon.process), END_MS, 'the end after SIGKILL');
  }

  async ended(daemon: Daemon): Promise<void> {
    const { code } = await within(exitOf(daemon.process), END_MS, 'the end of a daemon');
    if (code !== 0) throw new Error(`ended with ${code}: ${daemon.log()}`);
  }

  /** However things stand. */
  abandon(): void {
    for (const { process } of this.#daemons) process.kill('SIGKILL');
    for (const mountpoint of this.#mountpoints) while (isMounted(mountpoint)) detach(mountpoint);
  }
}

export function withSite<T>(use: (site: Site) => Promise<T>): Promise<T> {
  return withFolder(async (folder) => {
    const site = new Site(folder);
    const abandon = () => site.abandon();
    process.on('exit', abandon);
    try {
      return await use(site);
    } finally {
      process.off('exit', abandon);
      abandon();
    }
  });
}

/** Up to the first newline, or the end. */
function textOf(pipe: Readable): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    pipe.setEncoding('utf8');
    pipe.on('data', (part: string) => {
      text += part;
      if (text.includes('\n')) resolve(text);
    });
    pipe.on('error', () => resolve(text));
    pipe.on('end', () => resolve(text));
  });
}
