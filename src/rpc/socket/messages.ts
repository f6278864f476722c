/** Every message of a session as bytes (FORMAT.md): a list of its number and its fields. */
import { Errno } from '../../base/errno.js';
import { BATCH_MAX, MESSAGE_BYTES_MAX } from '../limits.js';
import type {
  Answer,
  Call,
  ClientMessage,
  HeldFileLock,
  Hello,
  LocksTaken,
  Outcome,
  Reopened,
  ServerBoot,
  ServerMessage,
  StepBegins,
  Welcome,
} from '../session.js';
import { answer } from './answer.js';
import { type Codec, list, maybe, oneOf, struct, tagged } from './codec.js';
import { recoveryStatus } from './methods/state.js';
import { payload } from './payload.js';
import { Reader } from './reader.js';
import { bool, fid, identity, realErrno, u32, uint, words } from './scalars.js';
import {
  capabilities,
  capability,
  clientId,
  fids,
  handle,
  heldFileLock,
  keyId,
  notice,
  receipt,
  slot,
  step,
  xid,
} from './session-parts.js';
import { TooLongError, WireError } from './wire-error.js';
import type { Writer } from './writer.js';

const boot = identity<ServerBoot>();

type RareClientMessage = Exclude<ClientMessage, Call>;
type RareServerMessage = Exclude<ServerMessage, Answer>;

/** Number 1 of either side is what nearly all of its messages are, with code of its own. */
const COMMON = 1;

const clientMessage = tagged<RareClientMessage, 'kind'>('kind', {
  hello: [
    2,
    {
      version: u32,
      client: clientId,
      name: words,
      boot: maybe(boot),
      opens: oneOf<Hello['opens']>('reconstruct', 'replay'),
      committed: uint,
    },
  ],
  'status-asked': [3, { version: u32 }],
  cancel: [4, { xid }],
  reopen: [5, { id: uint, opens: capabilities }],
  replay: [6, { xid, slot, payload, receipt }],
  locks: [
    7,
    {
      id: uint,
      cached: fids,
      exclusive: fids,
      fileLocks: list<HeldFileLock>(heldFileLock, BATCH_MAX),
    },
  ],
  'step-done': [8, { step }],
  'recall-done': [9, { id: uint }],
  released: [10, { fids }],
  renew: [11, { id: uint, opens: capabilities }],
  bye: [12, {}],
});

const serverMessage = tagged<RareServerMessage, 'kind'>('kind', {
  welcome: [
    2,
    {
      version: u32,
      boot,
      filesystem: identity(),
      outcome: oneOf<Outcome>('new', 'resumed', 'recover', 'evicted'),
      state: struct<Welcome['state']>({
        recording: bool,
        accesses: bool,
        watchful: bool,
        replica: bool,
        userWatch: bool,
      }),
      committed: uint,
      key: keyId,
      objects: maybe(words),
    },
  ],
  refused: [3, { errno: realErrno, reason: words, retryMs: maybe(uint) }],
  reopened: [
    4,
    {
      id: uint,
      failed: list(struct<Reopened['failed'][number]>({ handle, errno: realErrno }), BATCH_MAX),
    },
  ],
  'locks-taken': [
    5,
    {
      id: uint,
      lost: list<LocksTaken['lost'][number]>(fid, 2 * BATCH_MAX),
      lostFileLocks: list(uint, BATCH_MAX),
    },
  ],
  step: [6, { step: oneOf<StepBegins['step']>('opens', 'replays', 'locks', 'full') }],
  recall: [7, { id: uint, fids, want: oneOf('flush', 'drop') }],
  renewed: [8, { id: uint, opens: list(maybe(capability), BATCH_MAX) }],
  committed: [9, { transno: uint }],
  key: [10, { key: keyId }],
  'drop-all': [11, {}],
  evicted: [12, { reason: words }],
  notice: [13, { notice }],
  status: [14, { status: recoveryStatus }],
});

/** How a side's messages are written and read. */
export interface MessageCodec<T> {
  /** WireError: it cannot be said; what was written of it is to be thrown away. */
  write(out: Writer, message: T): void;
  /** WireError: these bytes are no message. */
  decode(body: Buffer): T;
}

function messageCodec<T>(codec: Codec<T>): MessageCodec<T> {
  return {
    write: (out, message) => codec.write(out, message),
    decode(body) {
      const reader = new Reader(body);
      const message = codec.read(reader);
      reader.finish();
      return message;
    },
  };
}

/** After the head of the list stands the number. */
function beginsCommon(from: Reader): boolean {
  return from.startsWith(0x92, COMMON);
}

const call: Codec<Call> = {
  write(out, { xid: of, slot: at, resent, payload: asked }) {
    out.array(2);
    out.uint(COMMON);
    out.array(4);
    xid.write(out, of);
    if (at === undefined) out.nil();
    else slot.write(out, at);
    out.boolean(resent);
    payload.write(out, asked);
  },
  read(from) {
    from.fields(4);
    const of = xid.read(from);
    const at = from.nil() ? undefined : slot.read(from);
    return { kind: 'call', xid: of, slot: at, resent: from.boolean(), payload: payload.read(from) };
  },
};

/** WireError, also where it is longer than a message may be. */
function writeAnswer(out: Writer, message: Answer): void {
  const start = out.length;
  out.array(2);
  out.uint(COMMON);
  answer.write(out, message);
  if (out.length - start > MESSAGE_BYTES_MAX) throw new TooLongError(MESSAGE_BYTES_MAX);
}

/**
 * What a client is told instead of a result that no message has room for, such as the names of
 * an object with 50,000 long ones. Anything else that cannot be said is a bug, and is told here.
 */
function unsaid({ method }: Answer, error: WireError): Errno {
  if (error instanceof TooLongError) return Errno.EOVERFLOW;
  console.error(`feedfs: the answer to ${method} cannot be sent: ${error.message}`);
  return Errno.EIO;
}

export const clientMessages: MessageCodec<ClientMessage> = messageCodec({
  write(out, message) {
    if (message.kind === 'call') call.write(out, message);
    else clientMessage.write(out, message);
  },
  read: (from) => (beginsCommon(from) ? call.read(from) : clientMessage.read(from)),
});

export const serverMessages: MessageCodec<ServerMessage> = messageCodec({
  write(out, message) {
    if (message.kind !== 'answer') return serverMessage.write(out, message);
    const start = out.length;
    try {
      writeAnswer(out, message);
    } catch (error) {
      if (!(error instanceof WireError) || message.receipt !== undefined) throw error;
      out.truncate(start);
      writeAnswer(out, { ...message, errno: unsaid(message, error), result: undefined });
    }
  },
  read(from) {
    if (!beginsCommon(from)) return serverMessage.read(from);
    return { kind: 'answer', ...answer.read(from) };
  },
});
