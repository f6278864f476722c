/**
 * An ordinary user's eyes. A record is shown of directories that the user may list, found
 * out twice: right after the change, so that opening a directory later does not show its
 * history, and at the delivery, so that closing one takes effect at once. The directories
 * are those of the change both times. Why, and what else: native-notes/user-watch.md.
 */
import { Errno, FsError } from '../base/errno.js';
import { type Fid, ROOT_FID } from '../base/fid.js';
import { isDirectory } from '../base/mode.js';
import type { Timespec } from '../base/time.js';
import { asksForAccesses, type Filter, passes } from '../feed/filter.js';
import type { Place, Surroundings } from '../feed/filter-match.js';
import type { ChangeHead } from '../feed/log.js';
import { type FeedRecord, isAccess, type RecordBody } from '../feed/record.js';
import { ifReadable } from './ancestry.js';
import { WATCH_NAMES_MAX, WATCH_PARENTS_MAX, WATCH_PATTERN_BYTES_MAX } from './limits.js';
import type { Namespace } from './namespace.js';
import type { Reach } from './reach.js';
import { type LinePlace, userLine, userLossLine } from './watch-line.js';
import type { QueuedRecord, Verdict } from './watch-queue.js';
import {
  IS_DIRECTORY,
  NEW_SIDE,
  OTHER_IS_DIRECTORY,
  type Part,
  READABLE,
  SIDE,
  visibleParts,
} from './watch-redaction.js';
import type { Judgement, Loss, ShownLine, WatchView } from './watch-view.js';

const SIDES = SIDE | NEW_SIDE;
/** The parents of the verdict are the two places of a rename; else any one of them is enough. */
const TWO_PLACES = 32;
/** The object had further parents that the user could list. */
const MORE_PARENTS = 64;

type Head = Pick<ChangeHead, 'fid' | 'uid' | 'gid'>;

export class UserView implements WatchView, Surroundings {
  readonly #namespace: Namespace;
  /** Whoever opened the watch. */
  readonly #opener: Reach;

  constructor(namespace: Namespace, opener: Reach) {
    this.#namespace = namespace;
    this.#opener = opener;
  }

  /** Who made a change, and who looked at what, is not told: nor may a filter find it out. */
  checkFilter(filter: Filter): void {
    const { uid } = this.#opener.who;
    const asksForOthers = [filter.uid, filter.not?.uid].some((uids) =>
      [...(uids ?? [])].some((other) => other !== uid),
    );
    if (asksForOthers) throw new FsError(Errno.EPERM, 'filter: uid can only be your own');
    if (filter.gid !== undefined || filter.not?.gid !== undefined) {
      throw new FsError(Errno.EPERM, 'filter: gid is not for ordinary users');
    }
    const patterns = [...(filter.name ?? []), ...(filter.not?.name ?? [])];
    if (patterns.reduce((sum, { text }) => sum + text.length, 0) > WATCH_PATTERN_BYTES_MAX) {
      const reason = `filter: name has more than ${WATCH_PATTERN_BYTES_MAX} bytes of patterns`;
      throw new FsError(Errno.EINVAL, reason);
    }
    if (asksForAccesses(filter)) {
      throw new FsError(Errno.EPERM, 'filter: accesses are not for ordinary users');
    }
  }

  judge(filter: Filter, change: ChangeHead, body: RecordBody): Verdict | undefined {
    if (isAccess(body.op)) return undefined;
    const verdict = this.#verdict(change.fid, body);
    if ((verdict.flags & SIDES) === 0) return undefined;
    // The filter sees what the user sees: it must not answer questions about the rest.
    const parts = visibleParts(change.fid, body, verdict.flags);
    return parts.some((part) => this.#passes(filter, change, part)) ? verdict : undefined;
  }

  judgeNow(queued: QueuedRecord): Judgement {
    if (this.#sidesNow(queued) !== 0) return 'shown';
    // A parent that is not remembered could be listed then, and perhaps still can.
    return (queued.flags & MORE_PARENTS) === 0 ? 'hidden' : 'lost';
  }

  lines(filter: Filter, queued: QueuedRecord, record: FeedRecord, at: LinePlace): ShownLine[] {
    const sides = this.#sidesNow(queued);
    const readable = (queued.flags & READABLE) !== 0 && this.#mayOpen(record.fid) ? READABLE : 0;
    const flags = (queued.flags & ~(SIDES | READABLE)) | sides | readable;
    const parts = visibleParts(record.fid, record, flags);
    // What is left of a rename was not what the filter judged, or is not all of it.
    const isReduced = record.op === 'rename' && sides !== SIDES;
    const shown = isReduced ? parts.filter((part) => this.#passes(filter, record, part)) : parts;
    const lines: ShownLine[] = [];
    let { index, offset } = at;
    for (const part of shown) {
      const text = userLine({ index, offset }, this.#opener.who, record, part);
      lines.push({ text, of: { ...queued, flags } });
      index++;
      offset += Buffer.byteLength(text);
    }
    return lines;
  }

  lossLine(_loss: Loss, now: Timespec, at: LinePlace): string {
    return userLossLine(at, now);
  }

  /** For the filter: names that the user can see. */
  *names(fid: Fid): Generator<Place> {
    let looked = 0;
    for (const place of this.#namespace.links.names(fid)) {
      if (this.#mayList(place.parent)) yield place;
      looked++;
      if (looked === WATCH_NAMES_MAX) return;
    }
  }

  /** For the filter. Of a directory that the user may list, the ones above it are no secret. */
  isBelow(directory: Fid, top: Fid): boolean {
    return this.#namespace.links.isBelow(directory, top);
  }

  #passes(filter: Filter, { uid, gid }: Head, { fid, body }: Part): boolean {
    return passes(filter, { fid, uid, gid }, body, this);
  }

  #verdict(fid: Fid, body: RecordBody): Verdict {
    if (body.op === 'rename') {
      const { parent, newParent, exchanged } = body;
      const flags =
        TWO_PLACES |
        (this.#mayList(parent) ? SIDE : 0) |
        (this.#mayList(newParent) ? NEW_SIDE : 0) |
        (this.#isDirectory(fid) ? IS_DIRECTORY : 0) |
        (exchanged !== undefined && this.#isDirectory(exchanged) ? OTHER_IS_DIRECTORY : 0);
      return { flags, parents: [parent, newParent] };
    }
    const all = 'parent' in body ? [body.parent] : this.#parents(fid);
    const listable = all.filter((parent) => this.#mayList(parent));
    const flags =
      (listable.length > 0 ? SIDE : 0) |
      (listable.length > WATCH_PARENTS_MAX ? MORE_PARENTS : 0) |
      (body.op === 'write' && this.#opener.mayRead(fid) ? READABLE : 0);
    return { flags, parents: listable.slice(0, WATCH_PARENTS_MAX) };
  }

  /** The root has no name, and whoever may list it sees its attributes. */
  #parents(fid: Fid): readonly Fid[] {
    return fid === ROOT_FID ? [ROOT_FID] : this.#namespace.links.parents(fid, WATCH_NAMES_MAX);
  }

  /** Of the sides that could be seen at the change, those that still can. */
  #sidesNow({ flags, parents }: QueuedRecord): number {
    if ((flags & TWO_PLACES) === 0) {
      return parents.some((parent) => this.#mayList(parent)) ? flags & SIDES : 0;
    }
    const [parent, newParent] = parents;
    const old = parent !== undefined && this.#mayList(parent) ? SIDE : 0;
    const fresh = newParent !== undefined && this.#mayList(newParent) ? NEW_SIDE : 0;
    return flags & (old | fresh);
  }

  #mayList(directory: Fid): boolean {
    return this.#opener.mayList(directory);
  }

  /** It may have gone, or gone where the user cannot get. */
  #mayOpen(fid: Fid): boolean {
    return this.#opener.mayRead(fid) && this.#parents(fid).some((parent) => this.#mayList(parent));
  }

  #isDirectory(fid: Fid): boolean {
    const inode = ifReadable(() => this.#namespace.inodes.get(fid), undefined);
    return inode !== undefined && isDirectory(inode.mode);
  }
}
