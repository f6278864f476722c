/** Feeds of a frozen store that format 2 brought: filters, policies, access records, and what retention leaves. */
import { must } from '../../src/base/assert.js';
import { ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { make } from '../mds/reint-fixture.js';
import type { Simulated } from '../support/simulated.js';

/** What each of them is made with. */
export const SETTINGS = {
  filtered: { filter: '{"ops":["create","unlink"],"name":"f*"}' },
  none_pass: { filter: '{"uid":4711}' },
  audit: { filter: '{"ops":["changes","open"]}' },
  limited: { policy: '{"maxRecords":1000,"then":"drop-oldest"}' },
  dropped: { policy: '{"maxRecords":20,"then":"drop-oldest"}' },
  expired: { policy: '{"maxRecords":5}' },
} as const satisfies Readonly<Record<string, Partial<Record<'filter' | 'policy', string>>>>;

/** What the policies of two of them have led to. */
export const LOST = {
  dropped: 'it owed more than 20 records',
  expired: 'it owed more than 5 records',
} as const;

const FILES = 30;

export async function makeFeedsOfFormat2(sim: Simulated): Promise<void> {
  const ids = new Map<string, number>();
  for (const [name, settings] of Object.entries(SETTINGS)) {
    sim.connection.call('feedCreate', { name: nameFromText(name) }, (_errno, made) => {
      ids.set(name, made?.id ?? 0);
    });
    await sim.settle();
    for (const [file, text] of Object.entries(settings)) {
      const id = must(ids.get(name), 'feed');
      sim.connection.call('feedSetText', { id, file: file as 'filter' | 'policy', text }, () => {});
      await sim.settle();
    }
  }
  for (let i = 0; i < FILES; i++) {
    make(sim, ROOT_FID, `${i % 3 === 0 ? 'f' : 'g'}${i}`);
    if (i % 10 === 9) await sim.settle();
  }
}
