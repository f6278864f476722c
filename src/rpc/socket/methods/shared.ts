/** What only several mounts need: locks of programs, data by way of the server. */

import { DATA_BYTES_MAX } from '../../limits.js';
import type { FileLockWanted } from '../../messages.js';
import type { RemoteRequest } from '../../remote.js';
import { nothing, oneOf, struct } from '../codec.js';
import { credentials } from '../objects.js';
import { bigint, bool, bytes, fid, u32, uint, upTo } from '../scalars.js';
import type { MethodCodecs } from './method-codec.js';

const wanted = {
  fid,
  owner: bigint,
  flock: bool,
  type: oneOf<FileLockWanted['type']>('shared', 'exclusive', 'none'),
  start: uint,
  end: uint,
  pid: u32,
};
const fileLock = struct<FileLockWanted>(wanted);
const author = { who: credentials, killSuidgid: bool };
const data = bytes(DATA_BYTES_MAX);
const count = upTo(DATA_BYTES_MAX);

export const sharedMethods: MethodCodecs<
  | 'fileLockTest'
  | 'fileLock'
  | 'fileLockRelease'
  | 'dataRead'
  | 'dataWrite'
  | 'dataSpace'
  | 'dataSeek'
> = {
  fileLockTest: { number: 80, request: fileLock, result: fileLock },
  fileLock: {
    number: 81,
    request: struct<RemoteRequest<'fileLock'>>({ ...wanted, wait: bool }),
    result: nothing,
  },
  fileLockRelease: {
    number: 82,
    request: struct({ fid, owner: bigint, flock: bool }),
    result: nothing,
  },
  dataRead: { number: 88, request: struct({ fid, offset: uint, length: count }), result: data },
  dataWrite: {
    number: 89,
    request: struct<RemoteRequest<'dataWrite'>>({
      ...author,
      fid,
      offset: uint,
      append: bool,
      bytes: data,
    }),
    result: struct({ count }),
  },
  dataSpace: {
    number: 90,
    request: struct<RemoteRequest<'dataSpace'>>({
      ...author,
      fid,
      offset: uint,
      length: uint,
      what: oneOf('punch', 'zero', 'allocate'),
      keepSize: bool,
    }),
    result: nothing,
  },
  dataSeek: {
    number: 91,
    request: struct<RemoteRequest<'dataSeek'>>({ fid, offset: uint, what: oneOf('data', 'hole') }),
    result: uint,
  },
};
