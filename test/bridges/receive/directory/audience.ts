/**
 * Who may read what of a copy in memory, step by step: old contents only those who might
 * before, new ones only those who may in the end, and what is neither only those of both. From
 * an owner who is so all the while nothing is kept. And whether a program runs with more than
 * it had, or is to have, with these contents.
 */
import type { Fid } from '../../../../src/base/fid.js';
import { isDirectory, isRegular } from '../../../../src/base/mode.js';
import type { ModelDisk, ModelInode } from './model-disk.js';

interface Subject {
  readonly uid: number;
  readonly gid: number;
}

interface View {
  readonly contents: string;
  readonly uid: number;
  /** A bit for each subject. */
  readonly readers: number;
  /** What runs with more than who runs it has: one text each. */
  readonly powers: readonly string[];
}

type Views = ReadonlyMap<Fid, View>;

const IDS = [0, 1, 2, 3, 4];
/** All but root, which nothing is kept from. */
const SUBJECTS: readonly Subject[] = IDS.slice(1).flatMap((uid) =>
  IDS.map((gid) => ({ uid, gid })),
);
const ALL = 2 ** SUBJECTS.length - 1;
const READ = 4;
const SEARCH = 1;
const CAPABILITY = 'security.capability';

export class Audience {
  readonly #disk: ModelDisk;
  readonly #before: Views;
  readonly #seen: { readonly step: string; readonly views: Views }[] = [];

  constructor(disk: ModelDisk) {
    this.#disk = disk;
    this.#before = look(disk);
  }

  /** After each step. */
  note(step: string): void {
    this.#seen.push({ step, views: look(this.#disk) });
  }

  /** When everything is done: one line for each time that somebody could do too much. */
  faults(): string[] {
    const after = look(this.#disk);
    return this.#seen.flatMap(({ step, views }) =>
      [...views].flatMap(([fid, view]) => {
        const fault = judge(view, this.#before.get(fid), after.get(fid));
        return fault === undefined ? [] : [`${fid} after ${step}: ${fault}`];
      }),
    );
  }
}

function judge(view: View, before: View | undefined, after: View | undefined): string | undefined {
  const isOld = view.contents === before?.contents;
  const isNew = view.contents === after?.contents;
  const allowed = both(isOld, isNew, before?.readers ?? ALL, after?.readers ?? ALL);
  const isOwned = (after ?? before)?.uid === (before ?? after)?.uid;
  const tooMany = view.readers & ~allowed & ~(isOwned ? owners(view.uid) : 0);
  if (tooMany !== 0) return `read by ${named(tooMany)}`;
  const powers = view.powers.filter((power) => {
    const [had, has] = [before, after].map((one) => one?.powers.includes(power) === true);
    return !(isOld && had) && !(isNew && has) && !(had && has);
  });
  return powers.length === 0 ? undefined : `has ${powers.join(', ')}`;
}

function both(isOld: boolean, isNew: boolean, before: number, after: number): number {
  if (isOld && isNew) return before | after;
  if (isOld) return before;
  return isNew ? after : before & after;
}

function owners(uid: number): number {
  return SUBJECTS.reduce((bits, subject, i) => bits | (subject.uid === uid ? 1 << i : 0), 0);
}

function named(bits: number): string {
  const subjects = SUBJECTS.filter((_, i) => (bits & (1 << i)) !== 0);
  return subjects.map(({ uid, gid }) => `${uid}:${gid}`).join(' ');
}

function look(disk: ModelDisk): Views {
  const readers = new Map<ModelInode, number>();
  const visit = (directory: ModelInode, way: number): void => {
    const entered = way & who(directory, SEARCH);
    for (const inode of directory.entries.values()) {
      if (isDirectory(inode.type)) visit(inode, entered);
      else if (isRegular(inode.type)) {
        readers.set(inode, (readers.get(inode) ?? 0) | (entered & who(inode, READ)));
      }
    }
  };
  visit(disk.root, ALL);
  const views = new Map<Fid, View>();
  for (const [inode, bits] of readers) {
    const fid = disk.fids.get(inode);
    if (fid === undefined) continue;
    const contents = inode.contents.toString('hex');
    views.set(fid, { contents, uid: inode.uid, readers: bits, powers: powersOf(inode) });
  }
  return views;
}

/** An owner who may not can allow it to himself. */
function who({ mode, uid, gid }: ModelInode, bit: number): number {
  let bits = 0;
  for (const [i, subject] of SUBJECTS.entries()) {
    const shift = subject.gid === gid ? 3 : 0;
    if (subject.uid === uid || ((mode >> shift) & bit) !== 0) bits |= 1 << i;
  }
  return bits;
}

function powersOf({ mode, uid, gid, xattrs }: ModelInode): string[] {
  const capability = xattrs.get(CAPABILITY);
  return [
    ...((mode & 0o4000) === 0 ? [] : [`set-user-id ${uid}`]),
    ...((mode & 0o2000) === 0 ? [] : [`set-group-id ${gid}`]),
    ...(capability === undefined ? [] : [`capability ${capability}`]),
  ];
}
