/** Numbers, names and other values without parts, as codecs. */

import type { Errno } from '../../base/errno.js';
import { type Fid, isControlFid, isGivenFid, ROOT_FID } from '../../base/fid.js';
import type { FileName } from '../../base/name.js';
import type { Codec } from './codec.js';
import {
  TEXT_BYTES_MAX,
  WIRE_NAME_BYTES_MAX,
  WIRE_TARGET_BYTES_MAX,
  WORDS_BYTES_MAX,
} from './limits.js';
import { WireError } from './wire-error.js';

const U32_MAX = 2 ** 32 - 1;
const CONTROL_FID_MAX = 2 ** 52 + U32_MAX;
/** Linux has none above (MAX_ERRNO). */
const ERRNO_MAX = 4_095;

/** Whole numbers from 0 to `max`. */
export function upTo<T extends number = number>(max: number): Codec<T> {
  return {
    write(out, value) {
      if (value > max) throw new WireError(`${value} is more than ${max}`);
      out.uint(value);
    },
    read: (from) => from.uint(max) as T,
  };
}

export const u32 = upTo(U32_MAX);

/** Offsets, lengths, counts, positions. */
export const uint = upTo(Number.MAX_SAFE_INTEGER);

/** Numbers of requests, opens, keys: as the parties count them, from 1. Where there may be none, 0 says so in the store. */
export function counter<T extends number>(): Codec<T> {
  return {
    write(out, value) {
      if (value < 1) throw new WireError(`${value} is no number of anything`);
      out.uint(value);
    },
    read(from) {
      const value = from.uint(Number.MAX_SAFE_INTEGER);
      return value === 0 ? from.fail('a number from 1') : (value as T);
    },
  };
}

export const int: Codec<number> = {
  write: (out, value) => out.int(value),
  read: (from) => from.int(),
};

export const float: Codec<number> = {
  write: (out, value) => out.float(value),
  read: (from) => from.float(),
};

export const floatOrNull: Codec<number | null> = {
  write(out, value) {
    if (value === null) out.nil();
    else out.float(value);
  },
  read: (from) => (from.nil() ? null : from.float()),
};

export const bigint: Codec<bigint> = {
  write: (out, value) => out.bigint(value),
  read: (from) => from.bigint(),
};

export const bool: Codec<boolean> = {
  write: (out, value) => out.boolean(value),
  read: (from) => from.boolean(),
};

/** What feedfs itself can have given an object as its number. */
function isFid(value: number): value is Fid {
  if (value === ROOT_FID || isGivenFid(value)) return true;
  return isControlFid(value as Fid) && value <= CONTROL_FID_MAX;
}

export const fid: Codec<Fid> = {
  write(out, value) {
    if (!isFid(value)) throw new WireError(`${value} is no FID`);
    out.uint(value);
  },
  read(from) {
    const value = from.uint(CONTROL_FID_MAX);
    if (!isFid(value)) throw new WireError(`${value} is no FID`);
    return value;
  },
};

export const fidOrNone: Codec<Fid | 0> = {
  write(out, value) {
    if (value === 0) out.uint(0);
    else fid.write(out, value);
  },
  read(from) {
    if (from.peek() === 0) return from.uint(0) as 0;
    return fid.read(from);
  },
};

/** 0, or an errno; also one that this version has no name for. */
export const errno: Codec<Errno | 0> = upTo<Errno | 0>(ERRNO_MAX);
export const realErrno: Codec<Errno> = {
  write: (out, value) => errno.write(out, value),
  read(from) {
    const value = errno.read(from);
    return value === 0 ? from.fail('an errno') : value;
  },
};

/** A binary string: one character per byte. */
export function binary<T extends string = string>(max: number): Codec<T> {
  return {
    write: (out, value) => out.binary(value, max),
    read: (from) => from.binary(max) as T,
  };
}

export const fileName = binary<FileName>(WIRE_NAME_BYTES_MAX);
export const nameBytes = binary(WIRE_NAME_BYTES_MAX);
export const target = binary(WIRE_TARGET_BYTES_MAX);

export function text(max: number): Codec<string> {
  return {
    write: (out, value) => out.text(value, max),
    read: (from) => from.text(max),
  };
}

export const words = text(WORDS_BYTES_MAX);
export const longText = text(TEXT_BYTES_MAX);

export function bytes(max: number): Codec<Uint8Array> {
  return {
    write(out, value) {
      if (value.length > max) throw new WireError(`${value.length} bytes, at most ${max}`);
      out.bytes(value);
    },
    read: (from) => from.bytes(max),
  };
}

/** So many bytes and no other number of them. */
export function exactBytes(count: number): Codec<Uint8Array> {
  return {
    write(out, value) {
      if (value.length !== count) throw new WireError(`${value.length} bytes, not ${count}`);
      out.bytes(value);
    },
    read(from) {
      const value = from.bytes(count);
      return value.length === count ? value : from.fail(`${count} bytes`);
    },
  };
}

const HEX_32 = /^[0-9a-f]{32}$/;

/** An identity: 32 hexadecimal digits in lower case, as 16 bytes. */
export function identity<T extends string = string>(): Codec<T> {
  return {
    write(out, value) {
      if (!HEX_32.test(value)) throw new WireError(`${value} is not 32 hexadecimal digits`);
      out.bytes(Buffer.from(value, 'hex'));
    },
    read(from) {
      const view = from.view(16);
      return (view.length === 16 ? view.toString('hex') : from.fail('16 bytes')) as T;
    },
  };
}
