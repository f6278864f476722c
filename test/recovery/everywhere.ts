/**
 * Runs a program of calls again and again, each time with a fault in another place: before each
 * message, commit and flush that the program and a recovery lead to. What the program expects
 * must hold in all of them, and so must the claims (claims.ts).
 */
import * as assert from 'uvu/assert';
import { ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import type { OpenRecovery } from '../../src/rpc/session.js';
import { withFolder } from '../support/mount.js';
import { nodeOf } from '../support/namespace-model.js';
import { type Claims, checkEnd, checkRest } from './claims.js';
import type { Event, Fault, WorldOptions } from './faults.js';
import type { Mount } from './mount.js';
import { World } from './world.js';

/** Asserts as it goes; what it has open at its end is closed by the end of its mounts. */
export type Program = (world: World, mounts: readonly Mount[]) => Promise<void>;

export interface Everywhere {
  /** One mount for each: how it brings back its opens. Default two, one of each kind. */
  readonly mounts?: readonly OpenRecovery[];
  /** Default all. */
  readonly faults?: readonly Fault[];
  /** Default both. */
  readonly commits?: readonly ('eager' | 'lazy')[];
  /** In one of so many runs there is a second fault, a few events after the first. Default 2. */
  readonly again?: number;
  /** At most so many places of each kind, evenly spread. Default FEEDFS_PLACES, or 10. */
  readonly places?: number;
}

const FAULTS: readonly Fault[] = ['kill', 'power cut', 'cut'];
const BOTH: readonly OpenRecovery[] = ['reconstruct', 'replay'];
const SECOND_WITHIN = 14;

interface Placed {
  readonly fault: Fault;
  readonly at: number;
  /** So many events after the first; undefined: there is none. */
  readonly again: number | undefined;
}

const PLACES = Number(process.env.FEEDFS_PLACES ?? 10);

/** FEEDFS_PLACE: one run only, as the message of a failed one says it. */
const ONLY = process.env.FEEDFS_PLACE;
const TRACE = ONLY !== undefined;

export async function everywhere(program: Program, options: Everywhere = {}): Promise<number> {
  const { faults = FAULTS, commits = ['lazy', 'eager'], again = 2, places = PLACES } = options;
  if (ONLY !== undefined) {
    const { commits: mode, ...placed } = JSON.parse(ONLY);
    await run(program, options, { commits: mode }, placed);
    return 1;
  }
  let runs = 0;
  for (const mode of commits) {
    const events = await run(program, options, { commits: mode }, undefined);
    for (const fault of faults) {
      const stride = Math.max(1, Math.ceil(events / places));
      for (let at = runs % stride; at < events; at += stride) {
        runs++;
        const second = again > 0 && runs % again === 0 ? 1 + (runs % SECOND_WITHIN) : undefined;
        await run(program, options, { commits: mode }, { fault, at, again: second });
      }
    }
  }
  return runs;
}

/** One line on stderr. */
export function traceEvent(event: Event, number: number, fault: Fault | undefined): void {
  const text = JSON.stringify(event, (_key, value) => {
    if (value?.type === 'Buffer') return `${value.data.length} bytes`;
    return typeof value === 'bigint' ? `${value}` : value;
  });
  console.error(`${number} ${fault ?? ''} ${text.slice(0, 600)}`);
}

/** Returns how many events there were. */
async function run(
  program: Program,
  { mounts: kinds = BOTH }: Everywhere,
  options: WorldOptions,
  placed: Placed | undefined,
): Promise<number> {
  let events = 0;
  let world: World | undefined;
  try {
    await withFolder(async (folder) => {
      world = new World(folder, options);
      const claims = await begin(world, kinds);
      world.faultAt = (event) => {
        const number = events++;
        if (TRACE) traceEvent(event, number, faultAt(event, number, placed));
        return faultAt(event, number, placed);
      };
      await program(world, [...world.mounts]);
      await settled(world);
      checkRest(claims);
      for (const mount of world.mounts) {
        assert.equal(mount.evictions, [], `${mount.name} was evicted`);
        assert.equal(mount.lost, [], `${mount.name} lost opens`);
      }
      for (const mount of [...world.mounts]) await world.unmount(mount);
      await world.rest();
      await checkEnd(claims);
    });
  } catch (error) {
    const where = JSON.stringify({ ...options, ...placed });
    if (error instanceof Error) {
      error.message = `FEEDFS_PLACE='${where}': ${error.message}\n${world?.log.join('\n')}`;
    }
    await world?.close().catch(() => {});
    throw error;
  }
  return events;
}

/**
 * No fault happens any more, and everybody has asked for something: then a server keeps nothing
 * for what may come again.
 */
export async function settled(world: World): Promise<void> {
  await world.rest();
  world.faultAt = () => undefined;
  await world.rest();
  await world.answered(world.mounts.map((mount) => mount.lookup('nothing')));
  await world.rest();
}

/** The store, its feed and the mounts. */
export async function begin(world: World, kinds: readonly OpenRecovery[]): Promise<Claims> {
  await world.start();
  for (const [i, kind] of kinds.entries()) await world.mount(`mount ${i + 1}`, kind);
  const [first] = world.mounts;
  if (first === undefined) throw new Error('no mount');
  const root = nodeOf(world.server, ROOT_FID);
  const feed = await world.ok(first.call('feedCreate', { name: nameFromText('all') }));
  await world.rest();
  return { world, feed: feed.value.id, root };
}

function faultAt(event: Event, number: number, placed: Placed | undefined): Fault | undefined {
  if (placed === undefined) return undefined;
  const { fault, at, again } = placed;
  const isIt = number === at || (again !== undefined && number === at + again);
  if (!isIt) return undefined;
  // A connection carries no commits.
  const cuts = fault === 'cut' || fault === 'cut after' || fault === 'twice';
  return cuts && event.kind !== 'message' ? undefined : fault;
}
