/** What many messages have as parts: times, attributes, credentials. These are on the path of every call, so each has its own code. */
import type { Timespec } from '../../base/time.js';
import { INLINE_BYTES_MAX } from '../limits.js';
import type { Attributes, Credentials, Layout } from '../messages.js';
import type { Watcher } from '../watch.js';
import { type Codec, list, maybe, oneOf, struct } from './codec.js';
import { GROUPS_MAX, JOBID_BYTES_MAX, NID_BYTES_MAX } from './limits.js';
import type { Reader } from './reader.js';
import { bool, bytes, fid, u32 } from './scalars.js';
import { WireError } from './wire-error.js';
import type { Writer } from './writer.js';

const U32_MAX = 2 ** 32 - 1;
const U53_MAX = Number.MAX_SAFE_INTEGER;
const NSEC_MAX = 999_999_999;

export const time: Codec<Timespec> = {
  write(out, { sec, nsec }) {
    if (nsec > NSEC_MAX) throw new WireError(`${nsec} nanoseconds`);
    out.array(2);
    out.int(sec);
    out.uint(nsec);
  },
  read(from) {
    from.fields(2);
    return { sec: from.int(), nsec: from.uint(NSEC_MAX) };
  },
};

export const layout: Codec<Layout> = oneOf<Layout>('empty', 'inline', 'object');

/** Times that are often the same are written once: a change gives an object one time. */
function writeTimes(out: Writer, { atime, mtime, ctime }: Attributes): void {
  time.write(out, ctime);
  writeOther(out, mtime, ctime);
  writeOther(out, atime, ctime);
}

/** nil for the same as `known`. */
function writeOther(out: Writer, value: Timespec, known: Timespec): void {
  if (value.sec === known.sec && value.nsec === known.nsec) out.nil();
  else time.write(out, value);
}

function readOther(from: Reader, known: Timespec): Timespec {
  return from.nil() ? known : time.read(from);
}

const ATTRIBUTES_FIELDS = 13;

/** By the fields of the interface: a server's own object has more, and may have accessors. */
export const attributes: Codec<Attributes> = {
  write(out, value) {
    out.array(ATTRIBUTES_FIELDS);
    fid.write(out, value.fid);
    u32.write(out, value.mode);
    u32.write(out, value.nlink);
    u32.write(out, value.uid);
    u32.write(out, value.gid);
    u32.write(out, value.rdev);
    out.uint(value.size);
    out.uint(value.blocks);
    layout.write(out, value.layout);
    u32.write(out, value.generation);
    writeTimes(out, value);
  },
  read(from) {
    from.fields(ATTRIBUTES_FIELDS);
    const of = fid.read(from);
    const mode = from.uint(U32_MAX);
    const nlink = from.uint(U32_MAX);
    const uid = from.uint(U32_MAX);
    const gid = from.uint(U32_MAX);
    const rdev = from.uint(U32_MAX);
    const size = from.uint(U53_MAX);
    const blocks = from.uint(U53_MAX);
    const where = layout.read(from);
    const generation = from.uint(U32_MAX);
    const ctime = time.read(from);
    const mtime = readOther(from, ctime);
    const atime = readOther(from, ctime);
    // biome-ignore format: one line
    return { fid: of, mode, nlink, uid, gid, rdev, size, blocks, atime, mtime, ctime, layout: where, generation };
  },
};

export const credentials: Codec<Credentials> = {
  write(out, { uid, gid, pid, jobid, nid }) {
    out.array(5);
    u32.write(out, uid);
    u32.write(out, gid);
    u32.write(out, pid);
    out.binary(jobid, JOBID_BYTES_MAX);
    out.binary(nid, NID_BYTES_MAX);
  },
  read(from) {
    from.fields(5);
    return {
      uid: from.uint(U32_MAX),
      gid: from.uint(U32_MAX),
      pid: from.uint(U32_MAX),
      jobid: from.binary(JOBID_BYTES_MAX),
      nid: from.binary(NID_BYTES_MAX),
    };
  },
};

/** Contents that travel with metadata. */
export const inlineContents = maybe(bytes(INLINE_BYTES_MAX));

export const watcher = struct<Watcher>({
  uid: u32,
  gid: u32,
  groups: list(u32, GROUPS_MAX),
  privileged: bool,
});
