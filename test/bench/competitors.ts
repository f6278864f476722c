/** Who takes part where all do the same on one disk, and where each works in a round. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Disk } from './disk.js';
import { WARM_UP_SHARE } from './limits.js';
import type { Samples } from './samples.js';
import type { BenchContext } from './section.js';
import { startBindfs, startFeedfs, startLoggedfs, startMemfs } from './servers.js';
import type { Server } from './shell.js';

export type CompetitorName = 'feedfs' | 'memfs' | 'bindfs' | 'LoggedFS' | 'LoggedFS -c' | 'disk';

export interface Place {
  readonly dir: string;
  readonly server: Server | undefined;
}

/**
 * Starts a new process on a new directory or store of `disk`; without a server for the
 * disk itself. feedfs has one feed on, unless said.
 */
export async function startCompetitor(
  context: BenchContext,
  disk: Disk,
  name: CompetitorName,
  options: { readonly feeds?: number; readonly mountOptions?: readonly string[] } = {},
): Promise<Place> {
  const { cleanup } = context;
  const prefix = name.replaceAll(/\W/g, '').toLowerCase();
  const below = fs.mkdtempSync(path.join(disk.dir, `${prefix}-`));
  const mountpoint = path.join(context.dir, `mount-${path.basename(below)}`);
  const mounted = (server: Server): Place => ({ dir: server.mountpoint, server });
  switch (name) {
    case 'feedfs':
      return mounted(await startFeedfs(cleanup, { store: below, mountpoint, ...options }));
    case 'memfs':
      return mounted(await startMemfs(cleanup, mountpoint));
    case 'bindfs':
      return mounted(await startBindfs(cleanup, below, mountpoint));
    case 'LoggedFS':
    case 'LoggedFS -c':
      return mounted(await startLoggedfs(cleanup, below, name === 'LoggedFS -c'));
    case 'disk':
      return { dir: below, server: undefined };
  }
}

/**
 * A server lives long, and its first thousand requests are not like the others: Node
 * compiles what is called often. Done with every competitor, before each measurement.
 */
export async function warmUp(context: BenchContext, dir: string, files: number): Promise<void> {
  await context.client.metadata(dir, Math.ceil(files * WARM_UP_SHARE), 1);
}

/** A peer that fails costs its figures; without ours there is nothing to compare. Throws then. */
export function requireMeasured(samples: Samples, name: string, failed: Iterable<string>): void {
  if (samples.names.includes(name)) return;
  throw new Error(`${name} was not measured; ${[...failed].join('; ')}`);
}

/** Of `names`, those that can run here. */
export function present(
  context: BenchContext,
  names: readonly CompetitorName[],
): readonly CompetitorName[] {
  const { bindfs, loggedfs } = context.peers;
  return names.filter((name) =>
    name === 'bindfs' ? bindfs : name.startsWith('LoggedFS') ? loggedfs : true,
  );
}
