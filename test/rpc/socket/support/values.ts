/** Random values that messages are made of. */
import fc from 'fast-check';
import { controlFid, FIRST_FID, type Fid, isGivenFid, ROOT_FID } from '../../../../src/base/fid.js';
import type { FileName } from '../../../../src/base/name.js';
import type { Timespec } from '../../../../src/base/time.js';
import type { Attributes, Credentials, Watcher } from '../../../../src/rpc/messages.js';

export const U32 = 2 ** 32 - 1;

/** As fc.record, of plain objects. */
export function record<T, K extends keyof T = keyof T>(
  fields: { [F in keyof T]: fc.Arbitrary<T[F]> },
  { requiredKeys }: { requiredKeys?: K[] } = {},
): fc.Arbitrary<fc.RecordValue<T, K>> {
  return fc.record<T, K>(fields, {
    noNullPrototype: true,
    ...(requiredKeys === undefined ? {} : { requiredKeys }),
  });
}

export const fid: fc.Arbitrary<Fid> = fc.oneof(
  fc.constant(ROOT_FID),
  fc.constant(FIRST_FID),
  fc.integer({ min: 1, max: U32 }).map(controlFid),
  fc.maxSafeNat().filter(isGivenFid),
);
export const u32 = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: U32 }));
export const uint = fc.oneof(fc.nat(300), fc.nat(), fc.maxSafeNat());
/** Numbers of requests, opens, keys. */
export const counter = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
);
export const bool = fc.boolean();
export const float = fc.oneof(
  fc.nat(1000),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
);
export const owner = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

/** One character per byte. */
function binary(maxLength: number): fc.Arbitrary<string> {
  return fc
    .uint8Array({ maxLength, size: 'max' })
    .map((bytes) => Buffer.from(bytes).toString('latin1'));
}
export const name = fc.oneof(binary(40), binary(255)).map((value) => value as FileName);
export const target = binary(1_000);
export const words = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
);
export const bytes = fc.uint8Array({ maxLength: 300 }).map((value) => Buffer.from(value));
export const hex32 = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((value) => Buffer.from(value).toString('hex'));
export const mac = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((value) => Buffer.from(value));

export function maybe<T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(of, { nil: undefined });
}

export function list<T>(of: fc.Arbitrary<T>, maxLength = 20): fc.Arbitrary<T[]> {
  return fc.array(of, { maxLength });
}

export const time: fc.Arbitrary<Timespec> = record({
  sec: fc.oneof(fc.nat(), fc.maxSafeInteger()),
  nsec: fc.nat(999_999_999),
});
export const layout = fc.constantFrom('empty', 'inline', 'object');

export const attributes: fc.Arbitrary<Attributes> = record({
  fid,
  mode: u32,
  nlink: u32,
  uid: u32,
  gid: u32,
  rdev: u32,
  size: uint,
  blocks: uint,
  atime: time,
  mtime: time,
  ctime: time,
  layout,
  generation: u32,
}).chain((value) =>
  fc.constantFrom(value, { ...value, atime: value.ctime }, { ...value, mtime: value.ctime }),
);

export const credentials: fc.Arbitrary<Credentials> = record({
  uid: u32,
  gid: u32,
  pid: u32,
  jobid: binary(255),
  nid: binary(255),
});

export const watcher: fc.Arbitrary<Watcher> = record({
  uid: u32,
  gid: u32,
  groups: list(u32),
  privileged: bool,
});
