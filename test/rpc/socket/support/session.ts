/** Random messages of a session, of every kind. */
import fc from 'fast-check';
import type { Errno } from '../../../../src/base/errno.js';
import type { Method } from '../../../../src/rpc/messages.js';
import type { Answer, ClientMessage, Payload, ServerMessage } from '../../../../src/rpc/session.js';
import { METHOD_NAMES } from '../../../../src/rpc/socket/methods/table.js';
import { encodePayload } from '../../../../src/rpc/socket/payload.js';
import { CALLS } from './calls.js';
import { recoveryStatus } from './state.js';
import {
  bool,
  counter,
  fid,
  hex32,
  list,
  mac,
  maybe,
  owner,
  record,
  time,
  u32,
  uint,
  words,
} from './values.js';

const slot = fc.nat(127);
const method: fc.Arbitrary<Method> = fc.constantFrom(...METHOD_NAMES);
const errno: fc.Arbitrary<Errno> = fc.integer({ min: 1, max: 133 }).map((value) => value as Errno);

const payload: fc.Arbitrary<Payload> = method.chain((of) =>
  (CALLS[of].request as fc.Arbitrary<never>).map((request) => encodePayload(of, request)),
);

const capability = record({
  fid,
  handle: counter,
  rights: fc.constantFrom('read', 'write'),
  uid: u32,
  expires: uint,
  key: counter,
  mac,
});
const receipt = record({ transno: uint, time, fid, handle: maybe(counter), key: counter, mac });
const heldFileLock = record({
  fid,
  owner,
  flock: bool,
  exclusive: bool,
  start: uint,
  end: uint,
  pid: u32,
});
const step = fc.constantFrom('opens', 'replays', 'locks');

type Kinds<T extends { kind: string }> = {
  readonly [K in T['kind']]: {
    readonly [F in keyof Omit<Extract<T, { kind: K }>, 'kind'>]-?: fc.Arbitrary<unknown>;
  };
};

const client: Kinds<ClientMessage> = {
  hello: {
    version: u32,
    client: hex32,
    name: words,
    boot: maybe(hex32),
    opens: fc.constantFrom('reconstruct', 'replay'),
    committed: uint,
  },
  'status-asked': { version: u32 },
  call: { xid: counter, slot: maybe(slot), resent: bool, payload },
  cancel: { xid: counter },
  reopen: { id: uint, opens: list(capability) },
  replay: { xid: counter, slot, payload, receipt },
  locks: { id: uint, cached: list(fid), exclusive: list(fid), fileLocks: list(heldFileLock) },
  'step-done': { step },
  'recall-done': { id: uint },
  released: { fids: list(fid) },
  renew: { id: uint, opens: list(capability) },
  bye: {},
};

const notice = fc.oneof(
  record({ kind: fc.constant('visible') }),
  record({ kind: fc.constant('feed-ended'), id: uint }),
  record({ kind: fc.constant('recording'), recording: bool, accesses: bool }),
  record({ kind: fc.constant('blocked'), watchful: bool }),
  record({ kind: fc.constant('replica'), replica: bool }),
);

const server: Kinds<Exclude<ServerMessage, Answer>> = {
  welcome: {
    version: u32,
    boot: hex32,
    filesystem: hex32,
    outcome: fc.constantFrom('new', 'resumed', 'recover', 'evicted'),
    state: record({
      recording: bool,
      accesses: bool,
      watchful: bool,
      replica: bool,
      userWatch: bool,
    }),
    committed: uint,
    key: counter,
    objects: maybe(words),
  },
  refused: { errno, reason: words, retryMs: maybe(uint) },
  reopened: { id: uint, failed: list(record({ handle: counter, errno })) },
  'locks-taken': { id: uint, lost: list(fid), lostFileLocks: list(uint) },
  step: { step: fc.oneof(step, fc.constant('full')) },
  recall: { id: uint, fids: list(fid), want: fc.constantFrom('flush', 'drop') },
  renewed: { id: uint, opens: list(maybe(capability)) },
  committed: { transno: uint },
  key: { key: counter },
  'drop-all': {},
  evicted: { reason: words },
  notice: { notice },
  status: { status: recoveryStatus },
};

/** An answer to that method; some are refusals, and some have no result. */
export function answerTo(of: Method): fc.Arbitrary<Answer> {
  const facts = {
    kind: fc.constant('answer' as const),
    xid: counter,
    method: fc.constant(of),
    committed: uint,
    receipt: maybe(receipt),
    capability: maybe(capability),
    uncached: list(fid),
    exclusive: maybe(fid),
  };
  return fc.oneof(
    record({
      ...facts,
      errno: fc.constant(0),
      result: maybe(CALLS[of].result as fc.Arbitrary<unknown>),
    }),
    record({ ...facts, errno, result: fc.constant(undefined) }),
  ) as unknown as fc.Arbitrary<Answer>;
}

function anyOf<T>(kinds: Readonly<Record<string, Record<string, fc.Arbitrary<unknown>>>>) {
  return Object.entries(kinds).map(([kind, fields]) =>
    record({ kind: fc.constant(kind), ...fields }),
  ) as unknown as fc.Arbitrary<T>[];
}

/** Each kind as often as the others. */
export const clientMessage = fc.oneof(...anyOf<ClientMessage>(client));
export const serverMessage = fc.oneof(
  ...anyOf<ServerMessage>(server),
  method.chain((of): fc.Arbitrary<ServerMessage> => answerTo(of)),
);
