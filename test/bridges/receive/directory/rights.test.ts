/**
 * Rights are taken first and given last, and what steps take on the way comes back: also if
 * the receiver is killed before or in any step, and run again.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../../../src/base/assert.js';
import { type Fid, ROOT_FID } from '../../../../src/base/fid.js';
import { S_IFDIR, S_IFREG } from '../../../../src/base/mode.js';
import type { Step } from '../../../../src/bridges/receive/directory/steps.js';
import type { Contents } from '../../../../src/bridges/stream/frame.js';
import type { ChangeRecord } from '../../../../src/feed/record.js';
import { Random } from '../../../support/random.js';
import { Audience } from './audience.js';
import { applyBatch, Copying, placeAt, sendBaseline } from './copying.js';
import type { ModelInode } from './model-disk.js';
import { SourceModel } from './source-model.js';

const CAPABILITY = 'security.capability';
const CAPABLE = Buffer.from('0100000200040000000000000000000000000000', 'hex');
const [DIR, FILE, NEW] = [131_073, 131_074, 131_075] as [Fid, Fid, Fid];

const time = (sec: number) => ({ sec, nsec: 0 });

function created(mode: number, uid = 0) {
  const times = { atime: time(1), mtime: time(1), ctime: time(1) };
  return { mode, uid, gid: 0, rdev: 0, size: 0, nlink: 1, ...times };
}

const mkdir = (mode: number) => ({
  op: 'mkdir',
  fid: DIR,
  parent: ROOT_FID,
  name: 'd',
  attrs: created(S_IFDIR | mode),
});
const create = (fid: Fid, parent: Fid, mode: number, uid = 0) => ({
  op: 'create',
  fid,
  parent,
  name: 'f',
  attrs: created(S_IFREG | mode, uid),
});
const chmod = (fid: Fid, mode: number) => ({ op: 'setattr', fid, attrs: { mode } });
const chown = (fid: Fid, uid: number) => ({ op: 'setattr', fid, attrs: { uid } });
const write = (fid: Fid, attrs: object = {}) => ({
  op: 'write',
  fid,
  extents: [{ offset: 0, length: 6 }],
  attrs: { size: 6, mtime: time(9), ctime: time(9), ...attrs },
});
const setCapability = (fid: Fid) => ({
  op: 'setxattr',
  fid,
  xattr: { name: CAPABILITY, value: CAPABLE, flags: 0 },
  attrs: {},
});
const loseCapability = (fid: Fid) => ({
  op: 'removexattr',
  fid,
  xattr: { name: CAPABILITY },
  attrs: {},
});
const moveOut = {
  op: 'rename',
  fid: FILE,
  parent: DIR,
  name: 'f',
  newParent: ROOT_FID,
  newName: 'f',
};

interface Scene {
  readonly before: readonly object[];
  readonly batch: readonly object[];
  /** What is done in which order: `narrow d`, `make f`, … */
  readonly steps: readonly string[];
  /** Of that object, in the end. */
  readonly end: readonly [fid: Fid, mode: number, capability?: Buffer];
}

const SCENES: Readonly<Record<string, Scene>> = {
  'a set-id file that somebody else wrote to': {
    before: [create(FILE, ROOT_FID, 0o4755)],
    batch: [write(FILE, { mode: S_IFREG | 0o755 })],
    steps: ['narrow f', 'contents f', 'attributes f'],
    end: [FILE, 0o755],
  },
  'a capability that a write took': {
    before: [create(FILE, ROOT_FID, 0o755), setCapability(FILE)],
    batch: [write(FILE), loseCapability(FILE)],
    steps: ['narrow f', 'contents f', 'attributes f'],
    end: [FILE, 0o755],
  },
  'a secret in a file that was closed before': {
    before: [create(FILE, ROOT_FID, 0o644)],
    batch: [chmod(FILE, S_IFREG | 0o600), write(FILE)],
    steps: ['narrow f', 'contents f', 'attributes f'],
    end: [FILE, 0o600],
  },
  'a secret that was overwritten before the file was opened': {
    before: [create(FILE, ROOT_FID, 0o600)],
    batch: [write(FILE), chmod(FILE, S_IFREG | 0o644)],
    steps: ['narrow f', 'contents f', 'attributes f'],
    end: [FILE, 0o644],
  },
  'a file in a directory that was closed before': {
    before: [mkdir(0o755)],
    batch: [chmod(DIR, S_IFDIR | 0o700), create(NEW, DIR, 0o644), write(NEW)],
    steps: ['narrow d', 'make d/f', 'attributes d'],
    end: [NEW, 0o644],
  },
  'a directory that is opened when what was in it is gone': {
    before: [mkdir(0o700), create(FILE, DIR, 0o644)],
    batch: [{ ...moveOut, op: 'unlink', attrs: {}, last: true }, chmod(DIR, S_IFDIR | 0o755)],
    steps: ['narrow d', 'remove d/f', 'attributes d'],
    end: [DIR, 0o755],
  },
  'a file that leaves a closed directory, closed itself': {
    before: [mkdir(0o700), create(FILE, DIR, 0o644)],
    batch: [chmod(FILE, S_IFREG | 0o600), { ...moveOut, attrs: {} }],
    steps: ['narrow d/f', 'rename d/f', 'attributes f', 'attributes d', 'attributes '],
    end: [FILE, 0o600],
  },
  'a file that leaves a closed directory with other contents': {
    before: [mkdir(0o700), create(FILE, DIR, 0o644)],
    batch: [write(FILE), { ...moveOut, attrs: {} }],
    steps: [
      'narrow d/f',
      'rename d/f',
      'contents f',
      'attributes f',
      'attributes d',
      'attributes ',
    ],
    end: [FILE, 0o644],
  },
  'set-id bits and capabilities that stay': {
    before: [create(FILE, ROOT_FID, 0o4755), setCapability(FILE)],
    batch: [write(FILE)],
    steps: ['narrow f', 'contents f', 'attributes f'],
    end: [FILE, 0o4755, CAPABLE],
  },
  'another owner': {
    before: [create(FILE, ROOT_FID, 0o4740, 1), setCapability(FILE)],
    batch: [chown(FILE, 2), write(FILE)],
    steps: ['narrow f', 'contents f', 'attributes f'],
    end: [FILE, 0o4740, CAPABLE],
  },
};

function numbered(records: readonly object[], first: number): ChangeRecord[] {
  return records.map((record, i) => {
    const index = first + i;
    return { index, transno: index, time: time(100 + index), ...record } as unknown as ChangeRecord;
  });
}

async function play(scene: Scene, killAt?: number): Promise<{ steps: string[]; killed: boolean }> {
  const random = new Random(7);
  const source = new SourceModel(random);
  const copying = new Copying({ random });
  try {
    await copying.receive((target) => sendBaseline(target, source, random, 1));
    const before = numbered(scene.before, 1);
    await copying.receive((target) => applyBatch(target, before, [], placeAt(1)));
    for (const inode of inodes(copying)) inode.contents = Buffer.from('before');
    copying.audience = new Audience(copying.disk);
    const from = before.length + 1;
    const records = numbered(scene.batch, from);
    const work = (target: Parameters<Parameters<Copying['steps']>[0]>[0]) =>
      applyBatch(target, records, contents(scene), placeAt(from));
    const first = await copying.steps(work, killAt);
    const hands = first ?? must(await copying.steps(work), 'a receiver that is not killed');
    assert.equal(copying.audience.faults(), [], `killed at ${killAt}`);
    const [fid, mode, capability] = scene.end;
    const end = inodes(copying).find((inode) => copying.disk.fids.get(inode) === fid);
    assert.is(end?.mode.toString(8), mode.toString(8), `killed at ${killAt}`);
    assert.is(end?.xattrs.get(CAPABILITY), capability?.toString('hex'), `killed at ${killAt}`);
    const isRoot = (step: string): boolean => step === 'attributes ';
    const steps = hands.done.map(describe);
    const order = scene.steps.some(isRoot) ? steps : steps.filter((step) => !isRoot(step));
    return { steps: order, killed: first === undefined };
  } finally {
    copying.close();
  }
}

function inodes({ disk }: Copying): ModelInode[] {
  const below = (inode: ModelInode): ModelInode[] => [
    inode,
    ...[...inode.entries.values()].flatMap(below),
  ];
  return below(disk.root);
}

function contents({ batch }: Scene): Contents[] {
  return batch.flatMap((record) => {
    const { op, fid } = record as { op: string; fid: Fid };
    return op === 'write' ? [{ kind: 'data', fid, offset: 0, bytes: Buffer.from('secret') }] : [];
  });
}

function describe(step: Step): string {
  const { directory, name } = step.do === 'rename' || step.do === 'link' ? step.from : step.at;
  return `${step.do} ${directory ? `${directory}/` : ''}${name}`;
}

for (const [name, scene] of Object.entries(SCENES)) {
  test(name, async () => {
    const { steps } = await play(scene);
    assert.equal(steps.slice().sort(), [...scene.steps].sort());
    // Attributes may be set in any order, those of directories last.
    const isLast = (step: string): boolean => step.startsWith('attributes');
    assert.equal(
      steps.filter((step) => !isLast(step)),
      scene.steps.filter((s) => !isLast(s)),
    );
    assert.ok(steps.slice(steps.findIndex(isLast)).every(isLast));
  });

  test(`${name}: killed`, async () => {
    for (let killAt = 0; ; killAt++) {
      if (!(await play(scene, killAt)).killed) return;
    }
  });
}

test.run();
