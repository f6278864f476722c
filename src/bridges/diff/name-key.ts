/** A name in a directory as one string, to be compared and kept in sets. */
import type { Fid } from '../../base/fid.js';
import type { NamePlace } from '../../rpc/places.js';

/** `PARENT/NAME`: the parent's compact number, and a binary string. */
export type NameKey = string;

export function nameKey(parent: Fid | 0, name: string): NameKey {
  return `${parent}/${name}`;
}

export function keyPlace(key: NameKey): NamePlace {
  const slash = key.indexOf('/');
  return { parent: Number(key.slice(0, slash)) as Fid | 0, name: key.slice(slash + 1) };
}
