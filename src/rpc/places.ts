/** Which names objects have. */
import type { Fid } from '../base/fid.js';

export interface NamePlace {
  /** 0 of the root, which has no name. */
  readonly parent: Fid | 0;
  /** Binary string. */
  readonly name: string;
}

export interface ObjectPlaces {
  readonly fid: Fid;
  /** Type and permission bits; 0 of an object that is not there. */
  readonly mode: number;
  /** All its names, the primary one first; none if it is not there or has none. */
  readonly places: readonly NamePlace[];
}

export interface PlacesMethods {
  places: { request: { fids: readonly Fid[] }; result: readonly ObjectPlaces[] };
}
