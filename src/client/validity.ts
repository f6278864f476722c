/** How long the kernel may believe what an answer says: see coherence.ts, and for a copy replica/. */
import type { Fid } from '../base/fid.js';
import type { FileName } from '../base/name.js';
import type { Entry } from '../fuse/api.js';
import type { Attributes } from '../rpc/messages.js';
import type { Coherence } from './coherence.js';
import type { ReplicaMount } from './replica/replica-mount.js';

interface Deciders {
  readonly coherence: Coherence;
  readonly replica: ReplicaMount;
}

/** For an answer that names the object in that directory. */
export function entryOf({ coherence, replica }: Deciders, parent: Fid, a: Attributes): Entry {
  const entry = replica.entry(parent, a);
  if (!coherence.shared) return entry;
  const entryValidMs = coherence.mayCacheNames(parent) ? entry.entryValidMs : 0;
  const attrValidMs = coherence.mayCache(a.fid) ? entry.attrValidMs : 0;
  return { ...entry, entryValidMs, attrValidMs };
}

/** Of attributes alone, in milliseconds. */
export function attributesMs({ coherence, replica }: Deciders, attributes: Attributes): number {
  return coherence.mayCache(attributes.fid) ? replica.attrValidMs(attributes) : 0;
}

/** For an answer that there is no such name. */
export function missingEntry(deciders: Deciders, parent: Fid, name: FileName): Entry {
  const { coherence, replica } = deciders;
  const entryValidMs = coherence.mayCacheNames(parent) ? replica.missingMs(parent, name) : 0;
  return { ...NOTHING, entryValidMs };
}

const EPOCH = { sec: 0, nsec: 0 };

/** That no object is there. */
const NOTHING: Entry = {
  nodeId: 0,
  generation: 0,
  entryValidMs: 0,
  attrValidMs: 0,
  attr: {
    ino: 0,
    size: 0,
    blocks: 0,
    atime: EPOCH,
    mtime: EPOCH,
    ctime: EPOCH,
    mode: 0,
    nlink: 0,
    uid: 0,
    gid: 0,
    rdev: 0,
    blksize: 0,
  },
};
