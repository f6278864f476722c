/** Generators of records for property tests: every operation, every optional part, extreme values. */
import fc from 'fast-check';
import { must } from '../../src/base/assert.js';
import { controlFid, FIRST_FID, type Fid, fidFromParts, ROOT_FID } from '../../src/base/fid.js';
import { NAME_BYTES_MAX, nameFromText } from '../../src/base/name.js';
import type { Timespec } from '../../src/base/time.js';
import type {
  Access,
  Extent,
  FeedRecord,
  LogOffset,
  RecordAttrs,
  RecordHead,
  RecordIndex,
  Transno,
} from '../../src/feed/record.js';

/** fast-check's records are by default sometimes without a prototype; ours never are. */
const PLAIN = { noNullPrototype: true } as const;

const U32_MAX = 2 ** 32 - 1;
const u32 = fc.nat(U32_MAX);
const u64 = fc.maxSafeNat();

export const arbitraryFid: fc.Arbitrary<Fid> = fc.oneof(
  fc.constantFrom(ROOT_FID, FIRST_FID),
  fc.nat(U32_MAX).map((oid) => controlFid(oid)),
  fc
    .tuple(fc.bigInt({ min: 1n, max: 2n ** 35n - 1n }), fc.integer({ min: 1, max: 2 ** 17 - 1 }))
    .map(([sequence, oid]) =>
      must(fidFromParts({ seq: 0x2_0000_0400n + sequence, oid, ver: 0 }), 'a FID of ours'),
    ),
);

export const arbitraryTime: fc.Arbitrary<Timespec> = fc.record(
  {
    sec: fc.oneof(fc.nat(2 ** 32), fc.maxSafeInteger(), fc.constantFrom(0, -1)),
    nsec: fc.nat(999_999_999),
  },
  PLAIN,
);

/** Byte strings: plain, text in UTF-8, and any bytes. */
function byteString(bytesMin: number, bytesMax: number): fc.Arbitrary<string> {
  const anyBytes = fc
    .uint8Array({ minLength: bytesMin, maxLength: bytesMax })
    .map((bytes) => Buffer.from(bytes).toString('latin1'));
  const text = fc
    .string({ unit: 'grapheme', minLength: bytesMin, maxLength: 40 })
    .map((s) => nameFromText(s) as string)
    .filter((s) => s.length >= bytesMin && s.length <= bytesMax);
  const awkward = fc.constantFrom('\n', '"', '\\', '\x7f', '\x1b[2J', '\xc2\x9b', '\xe2\x80\xa8');
  const plain = fc.string({ unit: 'binary-ascii', minLength: bytesMin, maxLength: bytesMax });
  return fc.oneof(plain, text, anyBytes, awkward);
}

export const arbitraryName = byteString(1, NAME_BYTES_MAX);

const arbitraryHead: fc.Arbitrary<RecordHead> = fc.record(
  {
    index: u64.map((n) => n as RecordIndex),
    transno: u64.map((n) => n as Transno),
    time: arbitraryTime,
    fid: arbitraryFid,
    uid: u32,
    gid: u32,
    pid: u32,
    nid: fc.oneof(fc.constant('0@lo'), fc.constant('192.168.1.20@tcp'), byteString(1, 255)),
    jobid: fc.oneof(fc.constant('cp.0'), byteString(0, 255)),
  },
  PLAIN,
);

/** `type` is or'ed into a mode that is always there; without it the mode is optional like the rest. */
function attrsOf(time: Timespec, type?: number): fc.Arbitrary<RecordAttrs> {
  const when = fc.oneof(fc.constant(time), arbitraryTime);
  const model = {
    mode: type === undefined ? u32 : fc.nat(0o7777).map((bits) => bits | type),
    uid: u32,
    gid: u32,
    size: u64,
    nlink: u32,
    rdev: u32,
    atime: when,
    mtime: when,
    ctime: when,
  };
  return fc.record(model, {
    requiredKeys: type === undefined ? [] : ['mode'],
    noNullPrototype: true,
  });
}

const arbitraryExtents: fc.Arbitrary<Extent[]> = fc
  .array(fc.tuple(fc.nat(2 ** 40), fc.integer({ min: 1, max: 2 ** 31 })), { maxLength: 40 })
  .map((pairs) => {
    let end = 0;
    return pairs.map(([gap, length]) => {
      const offset = end + gap;
      end = offset + length;
      return { offset, length };
    });
  });

const entry = { parent: arbitraryFid, name: arbitraryName };

const arbitraryAccess: fc.Arbitrary<Access> = fc.record(
  { flags: u32, errno: u32, repeated: u32, directory: fc.boolean() },
  { requiredKeys: ['errno', 'repeated', 'directory'], noNullPrototype: true },
);

/** Records of what changes nothing. */
function accessesWith(head: RecordHead): fc.Arbitrary<FeedRecord> {
  return fc.oneof(
    fc
      .record({ op: fc.constantFrom('open', 'close', 'denied'), access: arbitraryAccess })
      .map((rest): FeedRecord => ({ ...head, ...rest })),
    fc
      .record({ xattr: fc.record({ name: arbitraryName }, PLAIN), access: arbitraryAccess })
      .map((rest): FeedRecord => ({ op: 'getxattr', ...head, ...rest })),
    fc
      .record({
        range: fc
          .tuple(u64, u64)
          .map(([a, b]) => [Math.min(a, b) || 1, Math.max(a, b, 1)] as const),
        kept: u64,
        bytes: u64,
        reason: byteString(0, 255),
      })
      .map(({ range: [first, last], kept, bytes, reason }): FeedRecord => {
        const records = 1 + (kept % (last - first + 1));
        const indices = { firstIndex: first as RecordIndex, lastIndex: last as RecordIndex };
        return { op: 'lost', ...head, lost: { ...indices, records, bytes, reason } };
      }),
  );
}

/** A record of each operation around a given head. */
function recordsWith(head: RecordHead): fc.Arbitrary<FeedRecord> {
  const attrs = attrsOf(head.time);
  const made = (op: 'create' | 'mkdir' | 'mknod', type: number): fc.Arbitrary<FeedRecord> =>
    fc
      .record({ ...entry, attrs: attrsOf(head.time, type) })
      .map((rest) => ({ op, ...head, ...rest }));
  const target = byteString(1, 4095);
  const over = fc.record({ fid: arbitraryFid, attrs, last: fc.boolean() }, PLAIN);
  const xattr = fc.record(
    {
      name: arbitraryName,
      value: fc.uint8Array({ maxLength: 300 }),
      flags: u32,
    },
    PLAIN,
  );
  return fc.oneof(
    accessesWith(head),
    made('create', 0o100000),
    made('mkdir', 0o040000),
    fc.constantFrom(0o010000, 0o020000, 0o060000, 0o140000).chain((type) => made('mknod', type)),
    fc
      .record({ ...entry, attrs: attrsOf(head.time, 0o120000), target })
      .map((rest): FeedRecord => ({ op: 'symlink', ...head, ...rest })),
    fc.record({ ...entry, attrs }).map((rest): FeedRecord => ({ op: 'link', ...head, ...rest })),
    fc
      .record({ ...entry, attrs, last: fc.boolean(), op: fc.constantFrom('unlink', 'rmdir') })
      .map((rest): FeedRecord => ({ ...head, ...rest })),
    fc
      .record(
        {
          ...entry,
          newParent: arbitraryFid,
          newName: arbitraryName,
          attrs,
          over,
          exchanged: arbitraryFid,
        },
        {
          requiredKeys: ['parent', 'name', 'newParent', 'newName', 'attrs'],
          noNullPrototype: true,
        },
      )
      .map((rest): FeedRecord => ({ op: 'rename', ...head, ...rest })),
    attrs.map((values): FeedRecord => ({ op: 'setattr', ...head, attrs: values })),
    fc.record({ xattr, attrs }).map((rest): FeedRecord => ({ op: 'setxattr', ...head, ...rest })),
    fc.record({ name: arbitraryName, attrs }).map(
      ({ name, attrs: values }): FeedRecord => ({
        op: 'removexattr',
        ...head,
        xattr: { name },
        attrs: values,
      }),
    ),
    fc
      .record({ extents: arbitraryExtents, attrs })
      .map((rest): FeedRecord => ({ op: 'write', ...head, ...rest })),
  );
}

export const arbitraryRecord: fc.Arbitrary<FeedRecord> = arbitraryHead.chain(recordsWith);

export const arbitraryLogOffset: fc.Arbitrary<LogOffset> = u64.map((n) => n as LogOffset);
