/** Which names objects have, for whoever has FIDs and wants paths. */
import { Errno, FsError } from '../base/errno.js';
import { type Fid, ROOT_FID } from '../base/fid.js';
import { isDirectory } from '../base/mode.js';
import type { NamePlace, ObjectPlaces, Service } from '../rpc/messages.js';
import { PLACES_FIDS_MAX } from './limits.js';
import type { Namespace } from './namespace.js';

export function placesMethods(namespace: Namespace): Pick<Service, 'places'> {
  return {
    places: ({ fids }, answer) => {
      if (fids.length > PLACES_FIDS_MAX) {
        throw new FsError(Errno.E2BIG, `at most ${PLACES_FIDS_MAX} objects at a time`);
      }
      answer(
        0,
        fids.map((fid) => placesOf(namespace, fid)),
      );
    },
  };
}

/** FsError(EIO) rather than fewer names than there are. */
function placesOf(namespace: Namespace, fid: Fid): ObjectPlaces {
  const inode = namespace.inodes.get(fid);
  if (inode === undefined) return { fid, mode: 0, places: [] };
  const { mode, nlink, slot } = inode;
  if (fid === ROOT_FID) return { fid, mode, places: [{ parent: 0, name: '' }] };
  const places: NamePlace[] = [...namespace.links.names(fid)];
  const expected = isDirectory(mode) ? (slot === 0 ? 0 : 1) : nlink;
  if (places.length !== expected) {
    throw new FsError(Errno.EIO, `${expected} names of ${fid}, found ${places.length}; run fsck`);
  }
  return { fid, mode, places };
}
