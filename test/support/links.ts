/** Where names are, once by the directories and once by the objects, to be compared. */
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import type { Links } from '../../src/mds/links.js';
import { listing, namespaceOf } from './namespace-model.js';
import type { Simulated } from './simulated.js';

const TYPE = 0o170000;
const DIRECTORY = 0o040000;

/** Per object, its names as `parent/name`, sorted: by listing every directory. */
export function namesListed(sim: Simulated): Map<Fid, string[]> {
  const names = new Map<Fid, string[]>([[ROOT_FID, []]]);
  for (const [parent, { attrs }] of namespaceOf(sim)) {
    if ((attrs.mode & TYPE) !== DIRECTORY) continue;
    for (const { fid, name } of listing(sim, parent)) {
      names.set(fid, [...(names.get(fid) ?? []), `${parent}/${name}`].sort());
    }
  }
  return names;
}

/** The same by what the objects know of themselves. */
export function namesKnown(links: Links, fids: Iterable<Fid>): Map<Fid, string[]> {
  const known = new Map<Fid, string[]>();
  for (const fid of fids) {
    const names = [...links.names(fid)].map(({ parent, name }) => `${parent}/${name}`);
    known.set(fid, names.sort());
  }
  return known;
}
