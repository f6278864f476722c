/**
 * The methods for which it matters which client asks: what it has open is counted, and what
 * another one has it cannot use or close.
 */
import { Errno, FsError } from '../../base/errno.js';
import type { Answer, Method, RequestOf, Service } from '../../rpc/messages.js';
import type { RecoveryStatus } from '../../rpc/session.js';
import type { FileLockTable } from '../file-locks/file-lock-table.js';
import type { ClientExport, RunningCall } from './client-export.js';
import type { Held } from './held.js';
import { CONSUMER_OPENS_MAX } from './limits.js';

type OwnMethod =
  | 'open'
  | 'close'
  | 'feedOpen'
  | 'feedClose'
  | 'feedWatch'
  | 'watchOpen'
  | 'watchFilter'
  | 'watchNext'
  | 'watchReady'
  | 'watchClose'
  | 'baselineOpen'
  | 'baselineNext'
  | 'baselineKeep'
  | 'baselineClose'
  | 'fileLockTest'
  | 'fileLock'
  | 'fileLockRelease'
  | 'dataRead'
  | 'dataWrite'
  | 'dataSpace'
  | 'dataSeek'
  | 'recovery';

type Handler<M extends Method> = (
  by: ClientExport,
  request: RequestOf<M>,
  answer: Answer<M>,
  call: RunningCall,
) => void;

/** All methods, by client. */
export type ClientService = { readonly [M in Method]: Handler<M> };

export type DataService = Pick<Service, 'dataRead' | 'dataWrite' | 'dataSpace' | 'dataSeek'>;

export interface OwnMethodsParts {
  readonly service: Service;
  readonly held: Held;
  readonly fileLocks: Pick<FileLockTable, 'test' | 'lock' | 'release'>;
  /** Absent: clients reach the contents themselves. */
  readonly data: DataService | undefined;
  readonly status: () => RecoveryStatus;
}

export interface OwnMethods {
  readonly methods: ClientService;
  /** Lets go of all that its consumers have; what waits for them is told nothing. */
  readonly release: (by: ClientExport) => void;
}

export function ownMethods(parts: OwnMethodsParts): OwnMethods {
  const { service } = parts;
  const others = Object.fromEntries(
    Object.entries(service).map(([method, handle]) => [
      method,
      (_by: ClientExport, request: never, answer: never) =>
        (handle as (request: never, answer: never) => void)(request, answer),
    ]),
  ) as unknown as ClientService;
  const { methods, release } = consumers(service);
  return { methods: { ...others, ...objects(parts), ...methods }, release };
}

type ObjectMethod =
  | 'open'
  | 'close'
  | `fileLock${'' | 'Test' | 'Release'}`
  | `data${'Read' | 'Write' | 'Space' | 'Seek'}`
  | 'recovery';

function objects(parts: OwnMethodsParts): Pick<ClientService, ObjectMethod> {
  const { service, held, fileLocks, data, status } = parts;
  return {
    open: (by, request, answer) => {
      held.admit(by);
      service.open(request, answer);
    },
    close: (by, { fid }, answer) => {
      held.close(by, fid);
      answer(0, undefined);
    },
    fileLockTest: (by, request, answer) => answer(0, fileLocks.test(by.client, request)),
    fileLock: (by, request, answer, call) => {
      call.cancel = fileLocks.lock(by.client, request, (errno) => answer(errno, undefined));
    },
    fileLockRelease: (by, request, answer) => {
      fileLocks.release(by.client, request);
      answer(0, undefined);
    },
    dataRead: (_by, request, answer) => (data ?? service).dataRead(request, answer),
    dataWrite: (_by, request, answer) => (data ?? service).dataWrite(request, answer),
    dataSpace: (_by, request, answer) => (data ?? service).dataSpace(request, answer),
    dataSeek: (_by, request, answer) => (data ?? service).dataSeek(request, answer),
    recovery: (_by, _request, answer) => answer(0, status()),
  };
}

function consumers(service: Service): {
  readonly methods: Pick<ClientService, Exclude<OwnMethod, ObjectMethod>>;
  readonly release: (by: ClientExport) => void;
} {
  const waiting = new Set<ClientExport>();
  const ignore = (): void => {};
  const watch = (by: ClientExport, waits: boolean, answer: Answer<'feedWatch'>): void => {
    by.consumers.waiting = waits;
    if (waits) waiting.add(by);
    else waiting.delete(by);
    service.feedWatch({ waiting: waiting.size > 0 }, answer);
  };
  const methods: Pick<ClientService, Exclude<OwnMethod, ObjectMethod>> = {
    ...watches(service),
    ...baselines(service),
    feedOpen: (by, { id }, answer) => {
      admit(by);
      service.feedOpen({ id }, (errno, result) => {
        if (errno === 0) by.consumers.openedFeed(id);
        answer(errno, result);
      });
    },
    feedClose: (by, { id }, answer) => {
      if (by.consumers.closedFeed(id)) service.feedClose({ id }, answer);
      else answer(0, undefined);
    },
    feedWatch: (by, request, answer) => watch(by, request.waiting, answer),
  };
  const release = (by: ClientExport): void => {
    for (const id of by.consumers.takeFeeds()) service.feedClose({ id }, ignore);
    for (const id of by.consumers.watches) service.watchClose({ id }, ignore);
    by.consumers.watches.clear();
    for (const id of by.consumers.baselines) service.baselineClose({ id }, ignore);
    by.consumers.baselines.clear();
    if (by.consumers.waiting) watch(by, false, ignore);
  };
  return { methods, release };
}

type WatchMethod = `watch${'Open' | 'Filter' | 'Next' | 'Ready' | 'Close'}`;

function watches(service: Service): Pick<ClientService, WatchMethod> {
  const check = (by: ClientExport, id: number): void => {
    if (!by.consumers.watches.has(id)) throw new FsError(Errno.EBADF, 'no such watch');
  };
  return {
    watchOpen: (by, request, answer) => {
      admit(by);
      service.watchOpen(request, (errno, result) => {
        if (result !== undefined) by.consumers.watches.add(result.id);
        answer(errno, result);
      });
    },
    watchFilter: (by, request, answer) => {
      check(by, request.id);
      service.watchFilter(request, answer);
    },
    watchNext: (by, request, answer) => {
      check(by, request.id);
      service.watchNext(request, answer);
    },
    watchReady: (by, request, answer) => {
      check(by, request.id);
      service.watchReady(request, answer);
    },
    watchClose: (by, request, answer) => {
      check(by, request.id);
      by.consumers.watches.delete(request.id);
      service.watchClose(request, answer);
    },
  };
}

type BaselineMethod = `baseline${'Open' | 'Next' | 'Keep' | 'Close'}`;

function baselines(service: Service): Pick<ClientService, BaselineMethod> {
  const check = (by: ClientExport, id: number): void => {
    if (!by.consumers.baselines.has(id)) throw new FsError(Errno.EBADF, 'no such baseline');
  };
  return {
    baselineOpen: (by, request, answer) => {
      admit(by);
      service.baselineOpen(request, (errno, result) => {
        if (result === undefined) return answer(errno, result);
        // It answers when all is on disk: the client may be gone by then.
        if (by.gone) return service.baselineClose({ id: result.id }, () => {});
        by.consumers.baselines.add(result.id);
        answer(errno, result);
      });
    },
    baselineNext: (by, request, answer) => {
      check(by, request.id);
      service.baselineNext(request, answer);
    },
    baselineKeep: (by, request, answer) => {
      check(by, request.id);
      service.baselineKeep(request, answer);
    },
    baselineClose: (by, request, answer) => {
      if (by.consumers.baselines.delete(request.id)) service.baselineClose(request, answer);
      else answer(0, undefined);
    },
  };
}

/** FsError(ENFILE). */
function admit({ consumers: { size } }: ClientExport): void {
  if (size < CONSUMER_OPENS_MAX) return;
  throw new FsError(Errno.ENFILE, `the client's consumers have ${CONSUMER_OPENS_MAX} opens`);
}
