/** A mount whose server is another process, perhaps on another machine. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import createDebug from 'debug';
import { type Fid, formatFid } from '../../base/fid.js';
import { SystemClock } from '../../base/time.js';
import { Client } from '../../client/client.js';
import { SharedCoherence } from '../../client/coherence/shared-coherence.js';
import { Import } from '../../client/import/import.js';
import { unmount } from '../../fuse/unmount.js';
import { ObjectStore } from '../../objects/object-store.js';
import type { ClientId } from '../../rpc/session.js';
import type { Welcome } from '../../rpc/session-messages.js';
import { addressText } from '../../rpc/socket/address.js';
import { CliError } from '../cli-error.js';
import { NOT_SAVED } from '../daemon-log.js';
import { ExitCode } from '../exit-codes.js';
import { Heartbeat } from '../heartbeat.js';
import { LOST_NAMED_MAX, SAVE_MS_MAX, WAITING_MS } from '../limits.js';
import { type MetricsServer, serveMetrics } from '../metrics-server.js';
import { MountStats } from '../mount-stats.js';
import { connector, failureAt } from './connector.js';
import { LateNotifier } from './late-notifier.js';
import { MadeObjects } from './made-objects.js';
import type { RemoteOptions, Served } from './options.js';
import { clientPart, coherencePart, importPart } from './parts.js';
import { hasMoved, type ReachedStore, reachedStore } from './reached-store.js';
import { startSession } from './session.js';

const debug = createDebug('feedfs:cli');

/** Connects, mounts and serves. Throws MountError or CliError. */
export async function serveRemote(options: RemoteOptions): Promise<Served> {
  const mount = new RemoteMount(options);
  try {
    return await mount.start();
  } catch (error) {
    await mount.abandon();
    throw error;
  }
}

class RemoteMount {
  readonly #options: RemoteOptions;
  readonly #id = randomBytes(16).toString('hex') as ClientId;
  readonly #clock = new SystemClock();
  readonly #notifier = new LateNotifier();
  readonly #coherence: SharedCoherence;
  readonly #import: Import;
  #client: Client | undefined;
  #made: MadeObjects | undefined;
  #heartbeat: Heartbeat;
  #metrics: MetricsServer | undefined;
  /** Where the objects are that this mount works on itself. */
  #reached: ReachedStore | undefined;
  #moved = false;
  #abandoned = false;

  constructor(options: RemoteOptions) {
    this.#options = options;
    const { mountpoint } = options;
    this.#coherence = new SharedCoherence({
      notifier: this.#notifier,
      // Nothing is asked of these before there is a client: nothing was granted.
      files: {
        flush: (fid, done) => this.#client?.cached.flush(fid, done),
        stale: (fid) => this.#client?.cached.stale(fid),
        staleAll: () => this.#client?.cached.staleAll(),
        lost: (reason) => this.#lost(reason),
        openLost: (fid, errno) => this.#client?.cached.openLost(fid, errno),
        recovered: () => this.#client?.cached.recovered(),
      },
      listings: {
        moved: (fid) => this.#client?.listings.moved(fid),
        staleAll: () => this.#client?.listings.staleAll(),
      },
      call: (method, request, answer) => this.#import.call(method, request, answer),
      released: (fids) => this.#import.released(fids),
      clock: this.#clock,
      ready: () => this.#import.isFull,
    });
    this.#import = new Import({
      connect: connector(options),
      clock: this.#clock,
      client: this.#id,
      name: `${hostname()}:${mountpoint} (${process.pid})`,
      opens: options.opens,
      events: this.#coherence,
      log: (line) => {
        // That the connection ends is then its own doing.
        if (!this.#abandoned) options.log(line);
      },
      refuses: (welcome) => this.#refuses(welcome),
      onWake: () => this.#heartbeat.beat(),
    });
    this.#heartbeat = new Heartbeat([importPart(this.#import), coherencePart(this.#coherence)]);
  }

  async start(): Promise<Served> {
    const options = this.#options;
    const clock = this.#clock;
    const welcome = await this.#connect();
    const counted = new MountStats();
    const client = this.#makeClient(welcome, counted);
    this.#client = client;
    this.#import.fileLocksFrom(client.fileLocks);
    if (options.metrics !== undefined) {
      this.#metrics = await serveMetrics(options.metrics, (done) => client.stats(done));
    }
    this.#heartbeat.stop();
    const heartbeat = new Heartbeat([
      clientPart(client),
      ...(this.#made === undefined ? [] : [this.#made]),
      coherencePart(this.#coherence),
      importPart(this.#import),
    ]);
    this.#heartbeat = heartbeat;
    const { address, source = addressText(address) } = options;
    const parts = { settings: options, source, client, heartbeat, clock, counted };
    const session = await startSession(parts);
    this.#notifier.attach(session.notifier);
    heartbeat.beat();
    const ended = session.ended.then(async (reason) => {
      debug('session ended: %o', reason);
      await this.#end();
      if (reason instanceof Error) throw reason;
    });
    return { ended, unmount: () => unmount(options.mountpoint) };
  }

  /** After a start that failed: leaves nothing that keeps the process alive. */
  async abandon(): Promise<void> {
    this.#abandoned = true;
    this.#metrics?.close();
    this.#heartbeat.beat();
    await this.#import.close();
    this.#heartbeat.stop();
    this.#made?.close();
  }

  /** CliError NO_SERVER. */
  async #connect(): Promise<Welcome> {
    const { address, onWaiting } = this.#options;
    const where = addressText(address);
    const waiting = setInterval(() => onWaiting(`waiting for the server at ${where}`), WAITING_MS);
    this.#heartbeat.beat();
    try {
      const starting = this.#import.start();
      this.#heartbeat.beat();
      return await starting;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new CliError(ExitCode.NO_SERVER, failureAt(address, why), { cause: error });
    } finally {
      clearInterval(waiting);
    }
  }

  #makeClient(welcome: Welcome, counted: MountStats): Client {
    if (!this.#options.throughServer) this.#reachObjects(welcome);
    const { recording, accesses, replica, userWatch } = this.#import.state ?? welcome.state;
    return new Client({
      mds: this.#import,
      objects: this.#made?.objects,
      clock: this.#clock,
      owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
      coherence: this.#coherence,
      userWatch,
      recording,
      accesses,
      replica,
      accessTimes: this.#options.accessTimes,
      stats: () => counted.snapshot(),
    });
  }

  /** Where they cannot be used, the server reads and writes them. */
  #reachObjects(welcome: Welcome): void {
    const reached = reachedStore(welcome);
    if (reached === undefined) return;
    try {
      const objects = new ObjectStore(reached.path, { client: this.#id });
      this.#made = new MadeObjects(objects, (done) => this.#client?.sync(done));
      this.#reached = reached;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#options.log(
        `file data goes through the server: its object files are not for this user (${why})`,
      );
    }
  }

  #refuses(welcome: Welcome): string | undefined {
    const why = this.#reached && hasMoved(this.#reached, welcome);
    if (why !== undefined) this.#moved = true;
    return why;
  }

  /** The server took this mount for gone: what was open is of no use, and what was made is not ours. */
  #lost(reason: string): void {
    this.#options.log(`the server gave this mount up (${reason}): open files fail from here on`);
    const unrecorded = this.#client?.cached.lost(reason) ?? [];
    if (unrecorded.length > 0) this.#options.log(tellLost(unrecorded));
    // Of a store that is elsewhere there is no list to begin here.
    if (!this.#moved) this.#made?.begin();
  }

  /** Everything that was written is on disk, if the server can be reached. */
  async #end(): Promise<void> {
    this.#metrics?.close();
    const { address, log } = this.#options;
    const client = this.#client;
    client?.settle();
    this.#heartbeat.beat();
    const saved = await this.#saved();
    await this.#import.close();
    this.#heartbeat.stop();
    if (saved) this.#made?.settled();
    this.#made?.close();
    if (saved) return;
    log(`${addressText(address)} did not answer: the last changes may be lost`);
    throw new CliError(ExitCode.FAILURE, NOT_SAVED);
  }

  #saved(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), SAVE_MS_MAX);
      const done = (errno: number): void => {
        clearTimeout(timer);
        resolve(errno === 0);
      };
      if (this.#client === undefined) done(0);
      else this.#client.sync(done);
      this.#heartbeat.beat();
    });
  }
}

/** Programs that have closed these files were told that all is well: nobody else can say so. */
function tellLost(files: readonly Fid[]): string {
  const named = files.slice(0, LOST_NAMED_MAX).map(formatFid).join(' ');
  const more = files.length > LOST_NAMED_MAX ? ' ...' : '';
  return `writes that were not recorded yet are lost, in ${files.length} of its files: ${named}${more}`;
}
