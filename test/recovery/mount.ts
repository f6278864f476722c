/**
 * A mount without a kernel: the real import, coherence and client, and a driver that asks the
 * server as their operations do (calls), or calls the handlers as a session does (asks).
 */
import { must } from '../../src/base/assert.js';
import { FsError } from '../../src/base/errno.js';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { Client } from '../../src/client/client.js';
import { SharedCoherence } from '../../src/client/coherence/shared-coherence.js';
import { Import } from '../../src/client/import/import.js';
import type { CoherentNotifier, Handlers } from '../../src/fuse/api.js';
import { ObjectStore } from '../../src/objects/object-store.js';
import type { Connect } from '../../src/rpc/channel.js';
import type { Method, Reint, ReintRequest, RequestOf, ResultOf } from '../../src/rpc/messages.js';
import type {
  ClientId,
  ClientMessage,
  OpenRecovery,
  ServerMessage,
} from '../../src/rpc/session.js';
import type { FakeClock } from '../support/fake-clock.js';
import { FakeReply } from '../support/fake-reply.js';
import type { Asked } from '../support/simulated.js';
import { Call, type Done } from './call.js';

export const WHO = { uid: 0, gid: 0, pid: 7, jobid: 'prog.0', nid: '0@lo' };

const F_WRLCK = 1;
const F_UNLCK = 2;
/** The kernel's OFFSET_MAX. */
const LOCK_END = (1n << 63n) - 1n;

export interface MountOptions {
  readonly name: string;
  readonly id: ClientId;
  readonly store: string;
  readonly clock: FakeClock;
  readonly opens: OpenRecovery;
  readonly connect: Connect<ClientMessage, ServerMessage>;
  readonly log: (line: string) => void;
  /** Changes that were answered with success, of all mounts. */
  readonly history: Done[];
}

export class Mount {
  readonly name: string;
  readonly id: ClientId;
  readonly import: Import;
  readonly coherence: SharedCoherence;
  /** Why the server gave it up. */
  readonly evictions: string[] = [];
  /** Opens that could not be had again. */
  readonly lost: Fid[] = [];
  readonly #options: MountOptions;
  readonly #objects: ObjectStore;
  #client: Client | undefined;
  #fences: (() => void)[] = [];
  /** It is killed: it does nothing any more. */
  dead = false;

  constructor(options: MountOptions) {
    this.#options = options;
    const { name, id, store, clock, opens, connect, log } = options;
    this.name = name;
    this.id = id;
    this.#objects = new ObjectStore(store, { client: id });
    this.coherence = new SharedCoherence({
      notifier: this.#notifier(),
      files: {
        flush: (fid, done) => this.client.cached.flush(fid, done),
        stale: (fid) => this.client.cached.stale(fid),
        staleAll: () => this.#client?.cached.staleAll(),
        lost: (reason) => {
          this.evictions.push(reason);
          this.#client?.cached.lost(reason);
          this.#objects.begin();
        },
        openLost: (fid, errno) => {
          this.lost.push(fid);
          this.client.cached.openLost(fid, errno);
        },
        recovered: () => this.#client?.cached.recovered(),
      },
      listings: {
        moved: (fid) => this.client.listings.moved(fid),
        staleAll: () => this.#client?.listings.staleAll(),
      },
      call: (method, request, answer) => this.import.call(method, request, answer),
      released: (fids) => this.import.released(fids),
      ready: () => this.import.isFull,
      clock,
    });
    this.import = new Import({
      ...{ connect, clock, client: id, name, opens, log },
      events: this.coherence,
    });
  }

  get client(): Client {
    return must(this.#client, 'client');
  }

  get isUp(): boolean {
    return this.#client !== undefined;
  }

  /** Somebody has to let the world go on. */
  async start(): Promise<void> {
    const welcome = await this.import.start();
    const { clock } = this.#options;
    const { recording, accesses, replica, userWatch } = this.import.state ?? welcome.state;
    this.#client = new Client({
      ...{ mds: this.import, objects: this.#objects, clock, coherence: this.coherence },
      ...{ recording, accesses, replica, userWatch, owner: { uid: 0, gid: 0 } },
      accessTimes: 'noatime',
    });
    this.#client.attach(this.#notifier());
    this.import.fileLocksFrom(this.#client.fileLocks);
  }

  /** Any method of the server. */
  call<M extends Method>(method: M, request: RequestOf<M>): Call<M> {
    const call = new Call(method);
    call.cancel = this.import.cancellable(method, request, (errno, result) => {
      if (call.errno !== undefined) throw new Error(`${method} was answered twice`);
      call.errno = errno;
      // It may be used again once this returns.
      call.result = structuredClone(result);
      if (method === 'reint' && errno === 0) {
        this.#done(request as ReintRequest, call.result as ResultOf<'reint'>);
      }
    });
    return call;
  }

  reint(change: Reint, more: Partial<ReintRequest> = {}): Call<'reint'> {
    return this.call('reint', { who: WHO, change, ...more });
  }

  create(name: string, { open = false, mode = 0o100644, parent = ROOT_FID } = {}): Call<'reint'> {
    const at = { parent: parent as Fid, name: nameFromText(name) };
    return this.reint({ op: 'create', ...at, mode, umask: 0, rdev: 0, open });
  }

  mkdir(name: string, parent: Fid = ROOT_FID): Call<'reint'> {
    return this.create(name, { mode: 0o040755, parent });
  }

  unlink(name: string, parent: Fid = ROOT_FID, keepsNameless = false): Call<'reint'> {
    return this.reint({ op: 'unlink', parent, name: nameFromText(name) }, { keepsNameless });
  }

  rmdir(name: string, parent: Fid = ROOT_FID): Call<'reint'> {
    return this.reint({ op: 'rmdir', parent, name: nameFromText(name) });
  }

  link(fid: Fid, name: string): Call<'reint'> {
    return this.reint({ op: 'link', fid, parent: ROOT_FID, name: nameFromText(name) });
  }

  rename(from: string, to: string, flags = 0, keepsNameless = false): Call<'reint'> {
    const parents = { parent: ROOT_FID, newParent: ROOT_FID };
    const names = { name: nameFromText(from), newName: nameFromText(to) };
    return this.reint({ op: 'rename', ...parents, ...names, flags }, { keepsNameless });
  }

  chmod(fid: Fid, mode: number): Call<'reint'> {
    return this.reint({ op: 'setattr', fid, change: { mode } });
  }

  setxattr(fid: Fid, name: string, text: string, flags = 0): Call<'reint'> {
    const value = Buffer.from(text);
    return this.reint({ op: 'setxattr', fid, name: nameFromText(name), value, flags });
  }

  /** The whole contents of a small file. */
  write(fid: Fid, text: string): Call<'reint'> {
    const contents = Buffer.from(text);
    const size = contents.length;
    const { sec, nsec } = this.#options.clock.now();
    const more = { layout: 'inline', generation: 0, blocks: 0, killSuidgid: false } as const;
    const extents = [{ offset: 0, length: size }];
    const mtime = { sec, nsec };
    return this.reint({
      op: 'write',
      fid,
      extents,
      size,
      mtime,
      contents,
      keepIntent: false,
      ...more,
    });
  }

  open(fid: Fid, write = true): Call<'open'> {
    return this.call('open', { fid, write, uid: 0 });
  }

  close(fid: Fid): Call<'close'> {
    return this.call('close', { fid });
  }

  contents(fid: Fid): Call<'contents'> {
    return this.call('contents', { fid });
  }

  lookup(name: string, parent: Fid = ROOT_FID): Call<'lookup'> {
    return this.call('lookup', { parent, name: nameFromText(name) });
  }

  /** flock(2) by an open of {@link ask}. */
  flock(fid: Fid, fh: number, type: 'exclusive' | 'none', wait = false): FakeReply {
    const lock = { start: 0n, end: LOCK_END, type: type === 'none' ? F_UNLCK : F_WRLCK, pid: 7 };
    const owner = BigInt(fh);
    return this.ask(wait ? 'setlkw' : 'setlk', { nodeId: fid, fh, owner, lock, flock: true });
  }

  /** Calls a handler as the session does. */
  ask<O extends Exclude<keyof Handlers, 'forget' | 'destroy'>>(
    operation: O,
    asked: Asked<O>,
  ): FakeReply {
    const reply = new FakeReply();
    const request = { unique: 1, caller: { uid: 0, gid: 0, pid: 0 }, ...asked };
    const handler = this.client.handlers[operation] as unknown as (
      request: unknown,
      reply: FakeReply,
    ) => void;
    try {
      handler(request, reply);
    } catch (error) {
      if (!(error instanceof FsError) || reply.answered) throw error;
      reply.error(error.errno);
    }
    return reply;
  }

  tick(nowUs: number): void {
    this.#client?.tick(nowUs);
    this.coherence.tick(nowUs);
    this.import.tick(nowUs);
  }

  dueInUs(nowUs: number): number | undefined {
    const dues = [
      this.#client?.anyDirty === true ? 250_000 : undefined,
      this.coherence.dueInUs(nowUs),
      this.import.dueInUs(nowUs),
    ].filter((due) => due !== undefined);
    return dues.length === 0 ? undefined : Math.min(...dues);
  }

  /** What was queued for the kernel before is done. */
  fence(): boolean {
    const fences = this.#fences.splice(0);
    for (const done of fences) done();
    return fences.length > 0;
  }

  /** Its process ends. */
  kill(): void {
    this.dead = true;
    this.#objects.close();
  }

  #done({ change }: ReintRequest, { transno, attributes, made }: ResultOf<'reint'>): void {
    this.#options.history.push({ change, transno, fid: made ?? attributes.fid });
  }

  /** A kernel that caches nothing. */
  #notifier(): CoherentNotifier {
    return {
      pollWakeup: () => {},
      invalidateInode: (_nodeId, _offset, _length, told) => {
        if (told !== undefined) this.#fences.push(() => told(0));
      },
      invalidateEntry: () => {},
      deleteEntry: () => {},
      incrementEpoch: () => true,
      fence: (done) => void this.#fences.push(done),
    };
  }
}
