/** A client with many open files, whose server is killed: how long until it goes on, and at what cost. */
import { randomBytes } from 'node:crypto';
import { ROOT_FID } from '../../../src/base/fid.js';
import { nameFromText } from '../../../src/base/name.js';
import { SystemClock } from '../../../src/base/time.js';
import { Import } from '../../../src/client/import/import.js';
import type { Method, RequestOf, ResultOf } from '../../../src/rpc/messages.js';
import type { ClientId, OpenRecovery } from '../../../src/rpc/session.js';
import { parseAddress } from '../../../src/rpc/socket/address.js';
import { connect } from '../../../src/rpc/socket/connect.js';
import { cpuNsOf } from '../machine.js';
import type { Figures } from '../samples.js';
import { waitUntil } from '../shell.js';
import type { MdsServer } from './mds-server.js';

const TICK_MS = 1;
const RECOVERY_MS_MAX = 120_000;
const WHO = { uid: 0, gid: 0, pid: 1, jobid: '', nid: '0@lo' };

/** What rebuilding took, without what a server with nothing to rebuild takes for its start. */
export const REBUILD_MS = 'rebuild ms';
export const SERVER_US = 'server us/open';
export const KEPT_BYTES = 'kept bytes/open';

class OpenFiles {
  readonly #import: Import;
  readonly #timer: NodeJS.Timeout;
  /** When the last connection was there. */
  connectedMs = 0;

  constructor(address: string, opens: OpenRecovery) {
    const clock = new SystemClock();
    this.#import = new Import({
      connect: async () => {
        const channel = await connect(parseAddress(address), {});
        this.connectedMs = performance.now();
        return channel;
      },
      clock,
      client: randomBytes(16).toString('hex') as ClientId,
      name: 'bench',
      opens,
      events: {
        granted: () => {},
        recall: (_fids, _want, done) => done(),
        dropAll: () => {},
        evicted: (reason) => console.error(`evicted: ${reason}`),
        held: () => ({ cached: [], exclusive: [] }),
      },
      log: () => {},
    });
    this.#timer = setInterval(() => this.#import.tick(clock.monotonicUs()), TICK_MS);
  }

  async start(): Promise<void> {
    await this.#import.start();
    await waitUntil(() => this.#import.isFull, RECOVERY_MS_MAX);
  }

  /** Makes the files and leaves them open; all is on disk then. */
  async open(count: number): Promise<void> {
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < count; i++) {
      const at = { parent: ROOT_FID, name: nameFromText(`file-${i}`) };
      const change = {
        op: 'create',
        ...at,
        mode: 0o100644,
        umask: 0,
        rdev: 0,
        open: true,
      } as const;
      calls.push(this.#call('reint', { who: WHO, change }));
    }
    await Promise.all(calls);
    await this.#call('sync', undefined);
  }

  get keptBytes(): number {
    return this.#import.stats().openBytes;
  }

  /** Milliseconds from the connection to the new server until calls are answered. */
  async recovered(): Promise<number> {
    await this.#call('stats', undefined);
    return performance.now() - this.connectedMs;
  }

  async close(): Promise<void> {
    await this.#import.close();
    clearInterval(this.#timer);
  }

  #call<M extends Method>(method: M, request: RequestOf<M>): Promise<ResultOf<M> | undefined> {
    return new Promise((resolve, reject) => {
      this.#import.call(method, request, (errno, result) => {
        if (errno === 0) resolve(result);
        else reject(new Error(`${method}: errno ${errno}`));
      });
    });
  }
}

async function killed(server: MdsServer, files: OpenFiles): Promise<{ ms: number; cpuNs: number }> {
  await server.kill();
  await server.start();
  const ms = await files.recovered();
  return { ms, cpuNs: cpuNsOf(server.pid) };
}

/** On a store of its own. */
export async function measureOpens(
  server: MdsServer,
  mode: OpenRecovery,
  count: number,
): Promise<Figures> {
  await server.start();
  const files = new OpenFiles(server.address, mode);
  try {
    await files.start();
    const before = await killed(server, files);
    await files.open(count);
    const after = await killed(server, files);
    return {
      [REBUILD_MS]: after.ms,
      [SERVER_US]: (after.cpuNs - before.cpuNs) / 1_000 / count,
      [KEPT_BYTES]: files.keptBytes / count,
    };
  } finally {
    await files.close();
  }
}
