/** Steps of a plan as what a copy is told: FIDs and times kept, nobody as the author. */
import { type Fid, ROOT_FID } from '../../../base/fid.js';
import { isDirectory, isSymlink } from '../../../base/mode.js';
import type { FileName } from '../../../base/name.js';
import type { Timespec } from '../../../base/time.js';
import type { Credentials, WrittenExtent } from '../../../rpc/changes.js';
import type { ReplicaChange, ReplicaItem } from '../../../rpc/replica-message.js';
import type { Contents } from '../../stream/frame.js';
import type { Step, StepAttributes, StepPlace, StepXattr } from '../directory/steps.js';
import { itemsOfContents } from './batch-items.js';

/** A baseline says what there is, not who made it. */
export const NOBODY: Credentials = { uid: 0, gid: 0, pid: 0, nid: '0@lo', jobid: '' };

const PERMISSIONS = 0o7777;
/** Objects on their way from one place to another are in the root, under such a name. */
const LIMBO_PREFIX = '.feedfs-limbo-';

type StepOf<D extends Step['do']> = Extract<Step, { readonly do: D }>;

/** The directory and name of a place. */
export function entryOf({ parent, name, directory }: StepPlace): {
  readonly parent: Fid;
  readonly name: FileName;
} {
  if (directory === undefined) {
    return { parent: ROOT_FID, name: `${LIMBO_PREFIX}${name}` as FileName };
  }
  return { parent: parent === 0 ? ROOT_FID : parent, name: name as FileName };
}

export function change(
  fid: Fid,
  time: Timespec,
  reint: ReplicaChange['change'],
  detail: Partial<ReplicaChange['verbatim']> = {},
): ReplicaChange {
  return { do: 'change', who: NOBODY, change: reint, verbatim: { ...detail, time, fid } };
}

/** `time`: where the step does not say when. */
export function* itemsOfMake(step: StepOf<'make'>, time: Timespec): Generator<ReplicaItem> {
  const { fid, at, type, attributes, xattrs, rdev, target, size, contents } = step;
  const { mode = 0, uid = 0, gid = 0, atime = time, mtime = time, ctime = time } = attributes;
  const isLink = isSymlink(type);
  const given = { mode: type | mode, uid, gid, rdev, atime, mtime, ctime };
  const detail = {
    attributes: size > 0 && !isLink && contents === undefined ? { ...given, size } : given,
  };
  const entry = entryOf(at);
  yield isLink
    ? change(fid, ctime, { op: 'symlink', ...entry, target }, detail)
    : change(
        fid,
        ctime,
        { op: 'create', ...entry, mode: type | mode, umask: 0, rdev, open: false },
        detail,
      );
  for (const xattr of xattrs) yield itemOfXattr(fid, xattr, ctime);
  if (contents === undefined) return;
  const whole: Contents = { kind: 'data', fid, offset: 0, bytes: contents };
  if (contents.length > 0) yield* itemsOfContents(whole);
  const extents = contents.length > 0 ? [{ offset: 0, length: contents.length }] : [];
  if (size > 0) yield itemOfWrite(fid, extents, size, mtime, ctime);
}

/** A value to be set, or an attribute that goes. */
export function itemOfXattr(fid: Fid, { name, value }: StepXattr, ctime: Timespec): ReplicaItem {
  const known = { fid, name: name as FileName };
  if (value === undefined) return change(fid, ctime, { op: 'removexattr', ...known });
  return change(fid, ctime, { op: 'setxattr', ...known, value, flags: 0 });
}

export function itemOfWrite(
  fid: Fid,
  extents: readonly WrittenExtent[],
  size: number,
  mtime: Timespec,
  ctime: Timespec,
): ReplicaItem {
  return { do: 'write', who: NOBODY, fid, time: ctime, extents, size, mtime, ctime };
}

/** `type`: of the object, whose mode is set whole. */
export function itemOfAttributes(
  fid: Fid,
  type: number,
  { mode, uid, gid, atime, mtime, ctime }: StepAttributes,
  time: Timespec,
): ReplicaItem {
  const all = mode === undefined ? undefined : type | (mode & PERMISSIONS);
  const asked = { mode: all, uid, gid, atime, mtime };
  return change(fid, ctime ?? time, { op: 'setattr', fid, change: asked }, { ctime });
}

const NO_FLAGS = 0;

export function itemOfRename(
  { fid, from, to, over }: StepOf<'rename'>,
  time: Timespec,
): ReplicaItem {
  const { parent, name } = entryOf(from);
  const { parent: newParent, name: newName } = entryOf(to);
  const reint = { op: 'rename', parent, name, newParent, newName, flags: NO_FLAGS } as const;
  return change(fid, time, reint, { other: over });
}

export function itemOfLink({ fid, to }: StepOf<'link'>, time: Timespec): ReplicaItem {
  return change(fid, time, { op: 'link', fid, ...entryOf(to) });
}

export function itemOfRemove({ fid, at, type }: StepOf<'remove'>, time: Timespec): ReplicaItem {
  return change(fid, time, { op: isDirectory(type) ? 'rmdir' : 'unlink', ...entryOf(at) });
}
