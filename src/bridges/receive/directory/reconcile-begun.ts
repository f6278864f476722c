/**
 * What a killed receiver did last is not in the state: its journal says what that was about.
 * All names that it gave are found again, or the copy would take its own for a stranger's.
 */
import type { Fid } from '../../../base/fid.js';
import type { NamePlace } from '../../../rpc/places.js';
import type { Look } from './plan-check.js';
import { locate, type Sought } from './plan-locate.js';
import type { State } from './state.js';

/** Puts it into the state; nothing is committed. */
export function findWhatWasBegun(state: State, look: Look): void {
  const sought = soughtOf(state);
  if (sought.length === 0) return;
  const found = locate(sought, state, look);
  for (const { fid, type, known } of sought) {
    const places = found.get(fid) ?? [];
    const [first] = places;
    if (known !== undefined) {
      // Also what is in the books only: others may have its places by now.
      if (first === undefined) state.forget(fid);
      continue;
    }
    if (first === undefined) continue;
    const { inode } = first.found;
    const same = places.filter((one) => one.found.inode === inode);
    const names = same.map(({ place }) => ({ ...place, seen: 0 }));
    state.put(fid, { inode, type, names });
  }
}

function soughtOf(state: State): readonly Sought[] {
  const sought = new Map<Fid, Sought>();
  for (const { fid, type, after } of state.journal) {
    const before: readonly NamePlace[] = sought.get(fid)?.after ?? [];
    sought.set(fid, { fid, type, known: state.object(fid), after: [...before, ...after] });
  }
  return [...sought.values()];
}
