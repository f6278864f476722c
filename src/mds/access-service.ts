/**
 * Accesses that clients tell of become records. They change nothing: no transaction, no
 * number of their own. They wait for the commits like changes do, so that what is in memory
 * only stays bounded.
 */
import { Errno, FsError } from '../base/errno.js';
import type { EventCounts } from '../base/event-counts.js';
import type { Clock } from '../base/time.js';
import type { ChangeHead, Log } from '../feed/log.js';
import type { Access, AccessRecord, RecordBody, Transno } from '../feed/record.js';
import type { AccessReport, Answer, Service } from '../rpc/messages.js';
import type { GroupCommit } from '../store/group-commit.js';
import { answerLater } from './answer-later.js';
import type { Audience } from './audience.js';
import { ACCESSES_WAITING_MAX } from './limits.js';
import { checkAuthor } from './reint/numbers.js';
import type { RetentionRoom } from './retention-room.js';
import type { ServerEvent } from './server-events.js';

const O_ACCMODE = 0o3;
const O_CREAT = 0o100;
const O_TRUNC = 0o1000;

export interface AccessServiceParts {
  readonly log: Log;
  readonly commit: GroupCommit;
  readonly clock: Clock;
  readonly audience: Audience;
  readonly room: RetentionRoom;
  readonly events: EventCounts<ServerEvent>;
  /** Of the last change. */
  readonly lastTransno: () => Transno;
}

export class AccessService {
  readonly methods: Pick<Service, 'access'> = {
    access: (report, answer) => this.#access(report, answer),
  };
  readonly #parts: AccessServiceParts;
  /** Accesses that wait until less is uncommitted. */
  #waiting = 0;

  constructor(parts: AccessServiceParts) {
    this.#parts = parts;
  }

  #access(report: AccessReport, answer: Answer<'access'>): void {
    const { audience, commit } = this.#parts;
    if (!audience.accesses) return answer(0, undefined);
    if (!commit.saturated || isOfNewFile(report)) {
      return answer(0, this.#record(report, true));
    }
    if (this.#waiting >= ACCESSES_WAITING_MAX) return answer(0, this.#record(report, false));
    this.#waiting++;
    commit.whenFlushed((error) => {
      this.#waiting--;
      answerLater(answer, () => this.#record(report, error === undefined));
    });
  }

  /**
   * Without room, in memory (`hasRoom`) or on disk, an access goes without a record, or, if
   * a feed must not miss it, FsError(ENOSPC): then nothing has happened.
   */
  #record(report: AccessReport, hasRoom: boolean): undefined {
    const { log, commit, clock, audience, room, events, lastTransno } = this.#parts;
    const { uid, gid, pid, nid, jobid } = report.who;
    const who = { uid, gid, pid, nid, jobid };
    checkAuthor(who);
    const head: ChangeHead = {
      transno: lastTransno(),
      time: clock.now(),
      fid: report.fid,
      ...who,
    };
    const body = bodyOf(report);
    const takers = audience.takers(head, body);
    if (takers.feeds.length === 0 && takers.watches.length === 0) return;
    const mustTake = room.hasBlocker(takers.feeds);
    const refuses = mustTake && isRefusable(report) && room.refusesRecord(takers.feeds);
    if (refuses || !(isOfNewFile(report) || (hasRoom && this.#hasSpace(report, mustTake)))) {
      if (!mustTake) {
        // On a full disk everybody may still read.
        events.count('accesses_dropped', Math.max(1, report.repeated));
        return;
      }
      events.count('accesses_blocked');
      throw new FsError(Errno.ENOSPC, 'a feed that must not miss it has no room for the record');
    }
    log.append(head, body, takers);
    commit.note();
    room.tell();
  }

  #hasSpace(report: AccessReport, mustTake: boolean): boolean {
    return this.#parts.commit.admits(mustTake && !isRefusable(report) ? 'reads' : 'takes');
  }
}

/**
 * A feed that is full refuses what may change something, and reads of attributes. What only
 * reads it takes beyond its limit: who may not list a directory cannot delete what is in it.
 * A close happens and a denied open was denied in any case.
 */
function isRefusable({ kind, directory, flags = O_ACCMODE }: AccessReport): boolean {
  if (kind === 'getxattr') return true;
  if (kind !== 'open' || directory) return false;
  return (flags & (O_ACCMODE | O_TRUNC)) !== 0 && !isOfNewFile({ kind, flags });
}

/**
 * An open by which the file was made: no other arrives with O_CREAT. Both feeds and disk were
 * asked for room before, so it is a part of that change, and refused no more.
 */
function isOfNewFile({ kind, flags = 0 }: Pick<AccessReport, 'kind' | 'flags'>): boolean {
  return kind === 'open' && (flags & O_CREAT) !== 0;
}

function bodyOf(report: AccessReport): RecordBody<AccessRecord> {
  const { kind, flags, errno, repeated, directory, name } = report;
  const access: Access = {
    ...(flags === undefined ? {} : { flags }),
    errno,
    repeated,
    directory,
  };
  return kind === 'getxattr'
    ? { op: kind, xattr: { name: name ?? '' }, access }
    : { op: kind, access };
}
