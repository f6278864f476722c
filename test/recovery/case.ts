/** The cases of a recovery that are named by number (cases.test.ts has those that do not apply). */
import { test } from 'uvu';
import { must } from '../../src/base/assert.js';
import type { Fid } from '../../src/base/fid.js';
import { withFolder } from '../support/mount.js';
import type { Call } from './call.js';
import { type Claims, checkEnd, checkRest } from './claims.js';
import { begin, type Everywhere, everywhere, settled } from './everywhere.js';
import type { WorldOptions } from './faults.js';
import type { Mount } from './mount.js';
import { World } from './world.js';

type Two = (world: World, a: Mount, b: Mount) => Promise<void>;

/** FEEDFS_CASE=7: no other. */
function isLeftOut(number: number): boolean {
  const only = process.env.FEEDFS_CASE;
  return only !== undefined && Number(only) !== number;
}

/** The program of two mounts with a fault in every place. */
export function everyPlace(
  number: number,
  title: string,
  program: Two,
  options: Everywhere = {},
): void {
  if (isLeftOut(number)) return;
  test(`case ${number}: ${title}`, async () => {
    await everywhere((world, [a, b]) => program(world, must(a, 'a'), must(b, 'b')), options);
  });
}

/** One run; the program checks what it wants. `loses`: some of the changes are nobody's. */
export function once(
  number: number,
  title: string,
  program: (world: World, mounts: readonly Mount[], claims: Claims) => Promise<void>,
  options: Once = {},
): void {
  if (!isLeftOut(number)) scene(`case ${number}: ${title}`, program, options);
}

/** {@link once}, without a number. */
export function scene(
  title: string,
  program: (world: World, mounts: readonly Mount[], claims: Claims) => Promise<void>,
  { loses = false, kinds = ['reconstruct', 'replay'], ...options }: Once = {},
): void {
  test(title, async () => {
    await withFolder(async (folder) => {
      const world = new World(folder, options);
      try {
        const claims = { ...(await begin(world, kinds)), loses };
        await program(world, [...world.mounts], claims);
        await settled(world);
        checkRest(claims);
        for (const mount of [...world.mounts]) await world.unmount(mount);
        await world.rest();
        await checkEnd(claims);
      } finally {
        await world.close().catch(() => {});
      }
    });
  });
}

export interface Once extends WorldOptions {
  readonly loses?: boolean;
  readonly kinds?: readonly ('reconstruct' | 'replay')[];
}

/** Of a change that was made. */
export function fidOf(call: Call<'reint'>): Fid {
  return call.value.attributes.fid;
}

export function textOf(call: Call<'contents'> | Call<'open'>): string {
  return Buffer.from(call.value.contents ?? []).toString();
}
