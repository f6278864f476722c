/**
 * What an ordinary user's watch may show of a record, given which of its sides the user
 * may see. A *side* is a directory whose entry the record is about: one for most, two for
 * a rename. Pure; what of the rest a line says is in watch-line.ts.
 *
 * | record                        | shown as                                                   |
 * |-------------------------------|------------------------------------------------------------|
 * | rename, both sides            | the rename                                                 |
 * | rename, only the old place    | `unlink` or `rmdir` there                                  |
 * | rename, only the new place    | `unlink` or `rmdir` of what it replaced, then `link` there |
 * | exchange, one side            | `unlink` or `rmdir` of what left, then `link` of what came |
 * | `trusted.*` attribute         | nothing                                                    |
 * | any other extended attribute  | without its value                                          |
 * | write to an unreadable file   | without its extents                                        |
 * | access, loss of a feed        | nothing                                                    |
 *
 * `link` stands for directories too: what is in one that came has to be listed.
 */
import { unreachable } from '../base/assert.js';
import type { Fid } from '../base/fid.js';
import { isDirectory } from '../base/mode.js';
import type { RecordBody } from '../feed/record.js';

/** Flags of a verdict. The side of every record; of a rename the old place. */
export const SIDE = 1;
/** Of a rename: the new place. */
export const NEW_SIDE = 2;
/** The object itself is a directory. */
export const IS_DIRECTORY = 4;
/** What the object was exchanged for is a directory. */
export const OTHER_IS_DIRECTORY = 8;
/** The contents of the object may be read. */
export const READABLE = 16;

/** A change as a user sees it: of which object, and what. */
export interface Part {
  readonly fid: Fid;
  readonly body: RecordBody;
}

type Rename = Extract<RecordBody, { op: 'rename' }>;

const NOTHING: readonly Part[] = [];
const NO_VALUE = new Uint8Array(0);

/** In order; none if nothing of the record may be shown. */
export function visibleParts(fid: Fid, body: RecordBody, flags: number): readonly Part[] {
  if ((flags & (SIDE | NEW_SIDE)) === 0) return NOTHING;
  switch (body.op) {
    case 'rename':
      return renameParts(fid, body, flags);
    case 'write':
      return [{ fid, body: (flags & READABLE) !== 0 ? body : { ...body, extents: [] } }];
    case 'setxattr': {
      const { name, flags: how } = body.xattr;
      if (isTrusted(name)) return NOTHING;
      return [{ fid, body: { ...body, xattr: { name, value: NO_VALUE, flags: how } } }];
    }
    case 'removexattr':
      return isTrusted(body.xattr.name) ? NOTHING : [{ fid, body }];
    case 'create':
    case 'mkdir':
    case 'mknod':
    case 'symlink':
    case 'link':
    case 'unlink':
    case 'rmdir':
    case 'setattr':
      return [{ fid, body }];
    case 'open':
    case 'close':
    case 'denied':
    case 'getxattr':
    case 'lost':
      return NOTHING;
    default:
      return unreachable(body);
  }
}

/** listxattr(2) does not tell ordinary users of them either. */
function isTrusted(name: string): boolean {
  return name.startsWith('trusted.');
}

function renameParts(fid: Fid, body: Rename, flags: number): readonly Part[] {
  const { parent, name, newParent, newName, exchanged, over } = body;
  const seesOld = (flags & SIDE) !== 0;
  const seesNew = (flags & NEW_SIDE) !== 0;
  if (seesOld && seesNew) return [{ fid, body }];
  const moved = { fid, directory: (flags & IS_DIRECTORY) !== 0 };
  if (exchanged !== undefined) {
    const other = { fid: exchanged, directory: (flags & OTHER_IS_DIRECTORY) !== 0 };
    if (seesOld) return [left(moved, parent, name), came(other, parent, name, body)];
    return [left(other, newParent, newName), came(moved, newParent, newName, body)];
  }
  if (seesOld) return [left(moved, parent, name)];
  const arrival = came(moved, newParent, newName, body);
  if (over === undefined) return [arrival];
  const replaced = { fid: over.fid, directory: isDirectory(over.attrs.mode ?? 0) };
  return [left(replaced, newParent, newName), arrival];
}

interface Moved {
  readonly fid: Fid;
  readonly directory: boolean;
}

/** As if the object had been removed: nothing says that it is somewhere else. */
function left({ fid, directory }: Moved, parent: Fid, name: string): Part {
  return {
    fid,
    body: { op: directory ? 'rmdir' : 'unlink', parent, name, attrs: {}, last: false },
  };
}

function came({ fid }: Moved, parent: Fid, name: string, { attrs }: Rename): Part {
  return { fid, body: { op: 'link', parent, name, attrs } };
}
