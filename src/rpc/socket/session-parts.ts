/** What messages of a session have as parts, as codecs. */
import { BATCH_MAX, SLOTS_MAX } from '../limits.js';
import type { Notice } from '../messages.js';
import type {
  Capability,
  ClientId,
  HeldFileLock,
  KeyId,
  OpenHandle,
  Receipt,
  RecoveryStep,
  Slot,
  Xid,
} from '../session.js';
import { list, maybe, oneOf, struct, tagged } from './codec.js';
import { time } from './objects.js';
import { bigint, bool, counter, exactBytes, fid, identity, u32, uint, upTo } from './scalars.js';

const MAC_BYTES = 32;

export const clientId = identity<ClientId>();
export const xid = counter<Xid>();
export const slot = upTo<Slot>(SLOTS_MAX - 1);
export const handle = counter<OpenHandle>();
export const keyId = counter<KeyId>();
export const step = oneOf<RecoveryStep>('opens', 'replays', 'locks');
const mac = exactBytes(MAC_BYTES);

export const capability = struct<Capability>({
  fid,
  handle,
  rights: oneOf('read', 'write'),
  uid: u32,
  expires: uint,
  key: keyId,
  mac,
});

export const receipt = struct<Receipt>({
  transno: uint,
  time,
  fid,
  handle: maybe(handle),
  key: keyId,
  mac,
});

export const capabilities = list(capability, BATCH_MAX);
export const fids = list(fid, BATCH_MAX);

export const heldFileLock = struct<HeldFileLock>({
  fid,
  owner: bigint,
  flock: bool,
  exclusive: bool,
  start: uint,
  end: uint,
  pid: u32,
});

export const notice = tagged<Notice, 'kind'>('kind', {
  visible: [1, {}],
  'feed-ended': [2, { id: uint }],
  recording: [3, { recording: bool, accesses: bool }],
  blocked: [4, { watchful: bool }],
  replica: [5, { replica: bool }],
});
