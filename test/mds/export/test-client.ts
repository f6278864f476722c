/** A client that a test speaks for, message by message. */
import { must } from '../../../src/base/assert.js';
import { type Fid, ROOT_FID } from '../../../src/base/fid.js';
import { nameFromText } from '../../../src/base/name.js';
import type { Peer } from '../../../src/rpc/channel.js';
import type { Credentials, Method, Reint, ReintResult } from '../../../src/rpc/messages.js';
import type { RemoteRequest } from '../../../src/rpc/remote.js';
import type {
  Answer,
  ClientId,
  ClientMessage,
  Hello,
  Payload,
  ServerBoot,
  ServerMessage,
  Slot,
  Welcome,
  Xid,
} from '../../../src/rpc/session.js';
import type { ChannelPair } from '../../../src/rpc/socket/channel-pair.js';
import { encodePayload } from '../../../src/rpc/socket/payload.js';
import type { World } from './world.js';

export const WHO: Credentials = { uid: 7, gid: 8, pid: 99, jobid: '', nid: '0@lo' };

export class TestClient {
  readonly id: ClientId;
  readonly world: World;
  readonly peer: Peer;
  pair: ChannelPair;
  /** It answers recalls at once. */
  yields = true;
  /** What came and was not looked at. */
  received: ServerMessage[] = [];
  ended: string | undefined;
  boot: ServerBoot | undefined;
  #xid = 0;

  constructor(world: World, id: number, peer: Peer) {
    this.world = world;
    this.id = `${id}`.padStart(32, '0') as ClientId;
    this.peer = peer;
    this.pair = this.connect();
  }

  connect(): ChannelPair {
    this.ended = undefined;
    this.received = [];
    this.pair = this.world.connect(this.peer);
    this.pair.client.listen({
      message: (message) => {
        if (message.kind === 'recall' && this.yields) {
          this.pair.client.send({ kind: 'recall-done', id: message.id });
        } else this.received.push(message);
      },
      closed: (reason) => {
        this.ended = reason;
      },
    });
    return this.pair;
  }

  send(message: ClientMessage): void {
    this.pair.client.send(message);
    this.world.pump();
  }

  /** The first of that kind that came. */
  take<K extends ServerMessage['kind']>(kind: K): ServerMessage & { kind: K } {
    const at = this.received.findIndex((message) => message.kind === kind);
    const [message] = at < 0 ? [] : this.received.splice(at, 1);
    if (message === undefined) {
      const kinds = this.received.map((other) => other.kind).join(', ');
      throw new Error(`no ${kind} came, but ${kinds || 'nothing'}; ended: ${this.ended}`);
    }
    return message as ServerMessage & { kind: K };
  }

  has(kind: ServerMessage['kind']): boolean {
    return this.received.some((message) => message.kind === kind);
  }

  sayHello(more: Partial<Hello> = {}): void {
    const { id: client, boot } = this;
    const opens = 'reconstruct';
    this.send({
      kind: 'hello',
      version: 1,
      client,
      name: 'test',
      boot,
      opens,
      committed: 0,
      ...more,
    });
  }

  hello(more: Partial<Hello> = {}): Welcome {
    this.sayHello(more);
    this.world.settle();
    const welcome = this.take('welcome');
    this.boot = welcome.boot;
    return welcome;
  }

  /** Comes back on a new connection. */
  again(more: Partial<Hello> = {}): Welcome {
    this.pair.cut('cut');
    this.connect();
    return this.hello(more);
  }

  nextXid(): Xid {
    return ++this.#xid as Xid;
  }

  payload<M extends Method>(method: M, request: RemoteRequest<M>): Payload<M> {
    return encodePayload(method, request);
  }

  call<M extends Method>(method: M, request: RemoteRequest<M>, more: Sent = {}): Xid {
    const payload = this.payload(method, request);
    const { xid = this.nextXid(), slot, resent = false } = more;
    this.send({ kind: 'call', xid, slot, resent, payload });
    return xid;
  }

  /** A call that is answered at once. */
  ask<M extends Method>(method: M, request: RemoteRequest<M>, more: Sent = {}): Answer<M> {
    const xid = this.call(method, request, more);
    return this.answerOf(xid) as Answer<M>;
  }

  answerOf(xid: Xid): Answer {
    const at = this.received.findIndex(
      (message) => message.kind === 'answer' && message.xid === xid,
    );
    const [answer] = at < 0 ? [] : this.received.splice(at, 1);
    if (answer === undefined) throw new Error(`no answer to ${xid}; ended: ${this.ended}`);
    return answer as Answer;
  }

  reint(change: Reint, more: Sent = {}, keepsNameless = false): Answer<'reint'> {
    const slot = more.slot ?? (0 as Slot);
    return this.ask('reint', { who: WHO, change, keepsNameless }, { ...more, slot });
  }

  create(name: string, open = false, more: Sent = {}): Answer<'reint'> {
    return this.reint(createOf(name, open), more);
  }

  fid(answer: Answer<'reint'>): Fid {
    return must(answer.result as ReintResult | undefined, 'a result').attributes.fid;
  }
}

export interface Sent {
  readonly xid?: Xid;
  readonly slot?: Slot | undefined;
  readonly resent?: boolean;
}

export function createOf(name: string, open = false): Reint {
  const asked = { parent: ROOT_FID, name: nameFromText(name), mode: 0o100644, umask: 0, rdev: 0 };
  return { op: 'create', ...asked, open };
}

export function unlinkOf(name: string): Reint {
  return { op: 'unlink', parent: ROOT_FID, name: nameFromText(name) };
}
