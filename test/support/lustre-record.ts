/**
 * An independent reader of Lustre's `struct changelog_rec`: written from the layout table
 * alone, and sharing nothing with what feedfs encodes and prints it with.
 */

export interface LustreRecord {
  readonly type: number;
  readonly flags: number;
  readonly index: bigint;
  readonly previous: bigint;
  readonly seconds: bigint;
  readonly nanoseconds: number;
  /** FIDs as `[0xSEQ:0xOID:0xVER]`. */
  readonly tfid: string;
  readonly pfid: string;
  /** The first four bytes where the target FID stands. */
  readonly marker: number;
  readonly rename?: { readonly sfid: string; readonly spfid: string };
  /** What stands before the first zero byte, as a binary string; undefined without one. */
  readonly jobid?: string | undefined;
  readonly extraFlags?: bigint;
  readonly uid?: bigint;
  readonly gid?: bigint;
  /** All 24 bytes. */
  readonly nid?: Buffer;
  readonly openFlags?: number;
  readonly xattr?: string | undefined;
  /** The whole name area as a binary string. */
  readonly name: string;
  /** Bytes of header, extensions and name. */
  readonly size: number;
}

const HEADER = 64;
/** The four high bits of the flags, and the sizes of what they announce. */
const VERSION = 0x1000;
const RENAME = 0x2000;
const JOBID = 0x4000;
const EXTRA_FLAGS = 0x8000;

/** Takes fields one after the other. */
class Fields {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  take(size: number): Buffer {
    const end = this.#at + size;
    if (end > this.#bytes.length) throw new Error(`${end - this.#bytes.length} bytes are missing`);
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  number(size: 2 | 4): number {
    return this.take(size).readUIntLE(0, size);
  }

  u64(): bigint {
    return this.take(8).readBigUInt64LE();
  }

  fid(): string {
    const parts = [this.u64(), BigInt(this.number(4)), BigInt(this.number(4))];
    return `[${parts.map((part) => `0x${part.toString(16)}`).join(':')}]`;
  }

  /** A C string in a field of fixed size; what follows the zero byte has to be zero. */
  text(size: number): string | undefined {
    const field = this.take(size);
    const end = field.indexOf(0);
    if (end < 0 || field.subarray(end).some((byte) => byte !== 0)) return undefined;
    return field.toString('latin1', 0, end);
  }
}

/** The record at byte `at`. Throws if it is not whole or not of a format that Lustre has. */
export function readLustreRecord(bytes: Buffer, at: number): LustreRecord {
  const fields = new Fields(bytes, at);
  const nameLength = fields.number(2);
  const allFlags = fields.number(2);
  const type = fields.number(4);
  const index = fields.u64();
  const previous = fields.u64();
  const time = fields.u64();
  const marker = bytes.readUInt32LE(fields.at);
  const tfid = fields.fid();
  const pfid = fields.fid();
  if (fields.at !== at + HEADER) throw new Error('the header has 64 bytes');
  if ((allFlags & VERSION) === 0) throw new Error('not the extensible format');
  const rename =
    (allFlags & RENAME) !== 0 ? { rename: { sfid: fields.fid(), spfid: fields.fid() } } : {};
  const jobid = (allFlags & JOBID) !== 0 ? { jobid: fields.text(32) } : {};
  const extras = (allFlags & EXTRA_FLAGS) !== 0 ? readExtras(fields) : {};
  const name = fields.take(nameLength).toString('latin1');
  return {
    type,
    flags: allFlags & 0xfff,
    index,
    previous,
    seconds: time >> 30n,
    nanoseconds: Number(time & 0x3fffffffn),
    tfid,
    pfid,
    marker,
    ...rename,
    ...jobid,
    ...extras,
    name,
    size: fields.at - at,
  };
}

function readExtras(fields: Fields): Partial<LustreRecord> {
  const extraFlags = fields.u64();
  const has = (bit: bigint): boolean => (extraFlags & bit) !== 0n;
  const owner = has(0x1n) ? { uid: fields.u64(), gid: fields.u64() } : {};
  const nid = has(0x2n) ? { nid: Buffer.from(fields.take(24)) } : {};
  const open = has(0x4n) ? { openFlags: fields.number(4) } : {};
  const xattr = has(0x8n) ? { xattr: fields.text(256) } : {};
  return { extraFlags, ...owner, ...nid, ...open, ...xattr };
}

/** All records of a buffer, which has to hold whole ones and nothing else. */
export function readLustreRecords(bytes: Buffer): LustreRecord[] {
  const records: LustreRecord[] = [];
  for (let at = 0; at < bytes.length; ) {
    const record = readLustreRecord(bytes, at);
    records.push(record);
    at += record.size;
  }
  return records;
}
