/**
 * A metadata server for one client, as far as an import can tell: it makes changes, forgets
 * when it crashes what was not committed, recovers by the steps, and notes whatever a client
 * must not do.
 */
import { Errno } from '../../../src/base/errno.js';
import type { Fid } from '../../../src/base/fid.js';
import type { Channel } from '../../../src/rpc/channel.js';
import type { RequestOf } from '../../../src/rpc/messages.js';
import type {
  Answer,
  Call,
  ClientMessage,
  OpenHandle,
  Outcome,
  Replay,
  ServerBoot,
  ServerMessage,
  Slot,
  Welcome,
  Xid,
} from '../../../src/rpc/session.js';
import { attributesOf, FakeMethods, MAC, TIME } from './fake-methods.js';

type ToClient = Channel<ServerMessage, ClientMessage>;

export interface Executed {
  readonly xid: Xid;
  readonly transno: number;
  readonly slot: Slot;
  readonly what: string;
}

interface State {
  log: Executed[];
  slots: Map<Slot, { xid: Xid; answer: Answer }>;
  last: number;
}

const FILESYSTEM = 'f'.repeat(32);

export class FakeServer {
  readonly methods = new FakeMethods(() => this.disk.last);
  readonly faults = this.methods.faults;
  readonly opens = this.methods.opens;
  readonly feeds = this.methods.feeds;
  readonly watches = this.methods.watches;
  /** Everything that came, of the connections so far. */
  readonly received: ClientMessage[] = [];
  state: State = { log: [], slots: new Map(), last: 0 };
  disk: State = { log: [], slots: new Map(), last: 0 };
  /** Answers nothing to calls while it is on. */
  holds = false;
  filesystem = FILESYSTEM;
  /** Overrides what a hello is answered with. */
  greeting: ((message: ClientMessage) => ServerMessage | undefined) | undefined;
  readonly notices = { recording: false, accesses: false, watchful: false, replica: false };
  /** Handles that cannot be opened again. */
  readonly unopenable = new Set<OpenHandle>();
  #boot = 1;
  #knows = false;
  #isRecovered = true;
  #channel: ToClient | undefined;
  #answers = new Map<Xid, Answer>();
  #highest = 0;
  #nextFid = 131_073;
  #lastReplay = { transno: 0, rank: 0 };

  get boot(): ServerBoot {
    return this.#boot.toString(16).padStart(32, '0') as ServerBoot;
  }

  get channel(): ToClient | undefined {
    return this.#channel;
  }

  accept(channel: ToClient): void {
    this.#channel = channel;
    this.#highest = 0;
    channel.listen({
      message: (message) => {
        this.received.push(message);
        if (channel === this.#channel) this.#message(message);
      },
      closed: () => {
        if (channel === this.#channel) this.#channel = undefined;
      },
    });
  }

  send(message: ServerMessage): void {
    this.#channel?.send(message);
  }

  commit(): void {
    this.disk = copyOf(this.state);
    this.send({ kind: 'committed', transno: this.disk.last });
  }

  /** The process is gone, with what was not committed; whoever calls cuts the connection. */
  crash(): void {
    this.#channel = undefined;
    this.state = copyOf(this.disk);
    this.methods.forget();
    this.#answers.clear();
    this.#boot++;
    this.#isRecovered = !this.#knows;
    this.#lastReplay = { transno: 0, rank: 0 };
  }

  evict(reason: string): void {
    this.opens.clear();
    this.#knows = false;
    this.send({ kind: 'evicted', reason });
  }

  #message(message: ClientMessage): void {
    switch (message.kind) {
      case 'hello':
        return this.#hello(message);
      case 'call':
        return this.#call(message);
      case 'reopen':
        for (const { handle, fid } of message.opens) {
          if (!this.unopenable.has(handle)) this.opens.set(handle, fid);
        }
        return this.send({
          kind: 'reopened',
          id: message.id,
          failed: message.opens
            .filter(({ handle }) => this.unopenable.has(handle))
            .map(({ handle }) => ({ handle, errno: Errno.ESTALE })),
        });
      case 'replay':
        return this.#replay(message);
      case 'locks':
        return this.send({ kind: 'locks-taken', id: message.id, lost: [], lostFileLocks: [] });
      case 'step-done':
        return this.#stepDone(message.step);
      case 'renew':
        return this.send({
          kind: 'renewed',
          id: message.id,
          opens: message.opens.map(({ fid, handle }) =>
            this.opens.has(handle) ? this.methods.capability(fid, handle) : undefined,
          ),
        });
      case 'bye':
        this.#knows = false;
        return this.#channel?.close('bye');
    }
  }

  #hello(message: Extract<ClientMessage, { kind: 'hello' }>): void {
    const greeting = this.greeting?.(message);
    if (greeting !== undefined) return this.send(greeting);
    const knew = this.#knows;
    this.#knows = true;
    if (knew && !this.#isRecovered) {
      this.send(this.welcome('recover'));
      this.#lastReplay = { transno: 0, rank: 0 };
      this.send({ kind: 'step', step: 'opens' });
    } else {
      const outcome = knew ? 'resumed' : message.boot === undefined ? 'new' : 'evicted';
      this.send(this.welcome(outcome));
    }
  }

  welcome(outcome: Outcome): Welcome {
    return {
      kind: 'welcome',
      version: 1,
      boot: this.boot,
      filesystem: this.filesystem,
      outcome,
      state: { ...this.notices, userWatch: false },
      committed: this.disk.last,
      key: this.methods.key,
      objects: undefined,
    };
  }

  #stepDone(step: 'opens' | 'replays' | 'locks'): void {
    if (step === 'opens') this.send({ kind: 'step', step: 'replays' });
    else if (step === 'replays') this.send({ kind: 'step', step: 'locks' });
    else {
      this.#isRecovered = true;
      this.send({ kind: 'step', step: 'full' });
    }
  }

  #call(call: Call): void {
    if (!this.#isRecovered) this.faults.push(`call ${call.xid} in a recovery`);
    if (!call.resent && call.xid <= this.#highest) this.faults.push(`xid ${call.xid} is not new`);
    if (!call.resent) this.#highest = call.xid;
    const before = this.#answers.get(call.xid);
    if (before !== undefined) {
      if (!call.resent) this.faults.push(`xid ${call.xid} was used before`);
      return this.send(before);
    }
    if (this.holds) return;
    if (call.payload.method === 'reint') return this.#reint(call);
    if (call.payload.method === 'sync') this.commit();
    this.#answered(call, this.methods.execute(call));
  }

  #answered({ xid }: { xid: Xid }, answer: Answer): void {
    this.#answers.set(xid, answer);
    this.send(answer);
  }

  #reint(call: Call): void {
    const { slot, xid } = call;
    if (slot === undefined) {
      this.faults.push(`change ${xid} has no slot`);
      return;
    }
    const row = this.state.slots.get(slot);
    if (row?.xid === xid) {
      const { capability } = row.answer;
      // It did not outlive the server, as the row did.
      if (capability !== undefined) this.opens.set(capability.handle, capability.fid);
      return this.send(row.answer);
    }
    if (row !== undefined && row.xid > xid) {
      this.faults.push(`change ${xid} is older than its slot's ${row.xid}`);
      return;
    }
    const answer = this.#change(call, slot);
    if (answer.errno === 0) this.state.slots.set(slot, { xid, answer });
    this.#answered(call, answer);
  }

  #change({ xid, payload }: Call, slot: Slot): Answer {
    const { change } = payload.request as RequestOf<'reint'>;
    const what = 'name' in change ? `${change.op} ${change.name}` : change.op;
    if (what.includes('bad')) return this.methods.answer('reint', xid, { errno: Errno.EEXIST });
    const transno = ++this.state.last;
    this.state.log.push({ xid, transno, slot, what });
    const fid = this.#nextFid++ as Fid;
    const opens = change.op === 'create' && change.open;
    const capability = opens ? this.methods.open(fid) : undefined;
    const handle = capability?.handle;
    const receipt = { transno, time: TIME, fid, handle, key: this.methods.key, mac: MAC };
    const result = { attributes: attributesOf(fid), kept: undefined, transno, time: TIME };
    return this.methods.answer('reint', xid, { result, receipt, capability });
  }

  #replay({ xid, slot, receipt, payload }: Replay): void {
    const { transno, fid, handle } = receipt;
    const rank = payload.method === 'reint' ? 0 : 1;
    const last = this.#lastReplay;
    if (transno < last.transno || (transno === last.transno && rank < last.rank)) {
      this.faults.push(`replay ${xid} out of order`);
    }
    this.#lastReplay = { transno, rank };
    if (handle !== undefined) this.opens.set(handle, fid);
    const row = this.state.slots.get(slot);
    const isDone = row !== undefined && row.xid >= xid;
    const again = this.state.log.some((done) => done.transno === transno);
    if (rank === 0 && !isDone && !again) {
      const { change } = payload.request as RequestOf<'reint'>;
      const what = 'name' in change ? `${change.op} ${change.name}` : change.op;
      this.state.log.push({ xid, transno, slot, what });
      this.state.last = Math.max(this.state.last, transno);
      const result = { attributes: attributesOf(fid), kept: undefined, transno, time: TIME };
      const answer = this.methods.answer('reint', xid, { result, receipt });
      this.state.slots.set(slot, { xid, answer });
    }
    this.send(this.methods.answer(payload.method, xid, { result: undefined, errno: 0 }));
  }
}

function copyOf({ log, slots, last }: State): State {
  return { log: [...log], slots: new Map(slots), last };
}
