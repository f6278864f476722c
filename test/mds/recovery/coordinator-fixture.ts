/** A recovery whose clients and server are lists of what was said. */
import { errnoName } from '../../../src/base/errno.js';
import type { Fid } from '../../../src/base/fid.js';
import type { RecoveryTarget, ReplayItem } from '../../../src/mds/export/parts.js';
import { createCoordinator } from '../../../src/mds/recovery/coordinator.js';
import type { Method } from '../../../src/rpc/messages.js';
import type { ClientId, KeyId, Payload, Slot, Xid } from '../../../src/rpc/session.js';

export const WINDOW_US = 60_000_000;
export const [A, B, C] = ['a', 'b', 'c'].map((name) => name.repeat(32) as ClientId) as [
  ClientId,
  ClientId,
  ClientId,
];

export class Recovery {
  nowUs = 0;
  /** What the server was told to do, in order. */
  readonly log: string[] = [];
  /** Errno of replays, by transno; or what happens at that one. */
  readonly failing = new Map<number, number>();
  onReplay: (transno: number) => void = () => {};
  onStep: (client: ClientId, step: string) => void = () => {};
  onFlush: RecoveryTarget['whenFlushed'] = (settled) => settled(undefined);
  #xid = 0;
  readonly coordinator;

  constructor(...known: ClientId[]) {
    const target: RecoveryTarget = {
      nowUs: () => this.nowUs,
      wallClock: () => ({ sec: 7, nsec: 0 }),
      step: (client, step) => {
        this.log.push(`${short(client)}:${step}`);
        this.onStep(client, step);
      },
      replay: (client, { receipt }) => {
        this.log.push(`${short(client)}=${receipt.transno}`);
        this.onReplay(receipt.transno);
        return (this.failing.get(receipt.transno) ?? 0) as 0;
      },
      evict: (client, reason) => {
        this.log.push(`evict ${short(client)} (${reason})`);
        this.coordinator.gone(client);
      },
      whenFlushed: (settled) => this.onFlush(settled),
      dropAll: () => this.log.push('drop-all'),
      destroyOrphans: () => this.log.push('destroy'),
    };
    this.coordinator = createCoordinator(target, {
      known: known.map((client) => ({ client, name: short(client), identity: 'uid:0' })),
      windowUs: WINDOW_US,
    });
  }

  /** What was said since the last time. */
  said(): string {
    return this.log.splice(0).join(' ');
  }

  /** Brings clients to a step: connected, and done with those before it. */
  bring(clients: readonly ClientId[], step: 'opens' | 'replays' | 'locks'): void {
    for (const client of clients) this.coordinator.connected(client);
    if (step === 'opens') return;
    for (const client of clients) this.coordinator.stepDone(client, 'opens');
    if (step === 'replays') return;
    for (const client of clients) this.coordinator.stepDone(client, 'replays');
  }

  /** Queues replays, or opens; returns the answers as they come. */
  replay(client: ClientId, transnos: readonly number[], method: Method = 'reint'): string[] {
    const answers: string[] = [];
    for (const transno of transnos) {
      this.coordinator.replay(client, itemOf(transno, ++this.#xid as Xid, method), (errno) =>
        answers.push(`${transno} ${errno === 0 ? 'ok' : errnoName(errno)}`),
      );
    }
    return answers;
  }

  advance(us: number): void {
    this.nowUs += us;
    this.coordinator.tick(this.nowUs);
  }

  states(): string {
    const { clients } = this.coordinator.status();
    return clients.map(({ name, state }) => `${name} ${state}`).join(', ');
  }
}

export function itemOf(transno: number, xid: Xid, method: Method = 'reint'): ReplayItem {
  const payload = { method, request: undefined, bytes: new Uint8Array(10) } as unknown as Payload;
  const time = { sec: 0, nsec: 0 };
  const signed = { key: 1 as KeyId, mac: new Uint8Array(32) };
  const receipt = { transno, time, fid: 5 as Fid, handle: undefined, ...signed };
  return { xid, slot: 0 as Slot, payload, receipt };
}

function short(client: ClientId): string {
  return client.slice(0, 1);
}
