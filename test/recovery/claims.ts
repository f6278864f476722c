/** What must hold whenever the world has come to rest. */
import * as assert from 'uvu/assert';
import type { Fid } from '../../src/base/fid.js';
import type { ChangeRecord } from '../../src/feed/record.js';
import { fsckStore } from '../../src/mds/fsck.js';
import { fidOfKey } from '../../src/store/keys.js';
import { namespaceOf, owedRecords } from '../support/namespace-model.js';
import { flatten, type ModelNode, Replayer } from '../support/replayer.js';
import type { Done } from './call.js';
import type { World } from './world.js';

export interface Claims {
  readonly world: World;
  /** The feed from the beginning, and the root directory then. */
  readonly feed: number;
  readonly root: ModelNode;
  /** Some changes were made whose answers nobody waited for, or made by somebody who was evicted. */
  readonly loses?: boolean;
}

/** The tree is what the feed says; every change is in it once; nothing is open that nobody has. */
export function checkRest({ world, feed, root, loses = false }: Claims): void {
  const { server } = world;
  const nodes = namespaceOf(server);
  const records = owedRecords(server, feed);
  const replayer = new Replayer(structuredClone(root));
  let transno = 0;
  for (const record of records) {
    assert.ok(record.transno >= transno, 'transnos grow');
    transno = record.transno;
    replayer.apply(record);
  }
  const [found, said] = [flatten(nodes), flatten(replayer.nodes)];
  for (const [path, value] of said) {
    assert.equal(found.get(path), value, `${path}: found (left) and said by the feed (right)`);
  }
  assert.equal([...found.keys()], [...said.keys()], 'paths');
  const made = new Set<number>(records.map((record) => record.transno));
  if (!loses) checkOnce(world.history.filter(isRecorded(records)), made);
  checkOpens(world);
}

/** What becomes of a file without a name is in no record. */
function isRecorded(records: readonly ChangeRecord[]): (done: Done) => boolean {
  const named = new Map<Fid, number>();
  for (const record of records) {
    if (record.op === 'unlink' && record.last) named.set(record.fid, record.transno);
    if (record.op === 'rename' && record.over?.last === true) {
      named.set(record.over.fid, record.transno);
    }
  }
  return ({ change, fid, transno }) =>
    change.op !== 'tmpfile' && transno <= (named.get(fid) ?? Number.POSITIVE_INFINITY);
}

function checkOnce(history: readonly Done[], made: ReadonlySet<number>): void {
  const answered = history.map((done) => done.transno);
  assert.is(new Set(answered).size, answered.length, 'each change has a number of its own');
  const sorted = [...answered].sort((a, b) => a - b);
  // One that leaves everything as it was makes no record.
  const missing = sorted.filter((transno) => !made.has(transno));
  const changes = history.filter(({ transno }) => missing.includes(transno));
  assert.equal(
    changes.map(({ change }) => change.op),
    [],
    'changes that were answered and are in no record',
  );
  const known = new Set(answered);
  assert.equal(
    [...made].filter((transno) => !known.has(transno)),
    [],
    'changes in records that nobody was answered',
  );
}

/** What the server holds open is what the mounts hold. */
function checkOpens({ server, mounts }: World): void {
  const { opens } = server.server.namespace;
  const inodes = inodesOf(server.store);
  const held = inodes.map((fid) => opens.count(fid));
  const wanted = mounts.map((mount) => mount.import.stats().opens);
  const open = inodes.filter((fid) => opens.has(fid)).join();
  assert.is(sum(held), sum(wanted), `opens at the server (of ${open}), and at the mounts`);
}

/** Everybody has gone: only what has a name is left, and fsck finds nothing. */
export async function checkEnd({ world }: Claims): Promise<void> {
  const { server } = world;
  const { orphan, object, client } = server.store.tables;
  const nodes = [...namespaceOf(server).keys()].sort((a, b) => a - b);
  assert.equal(inodesOf(server.store), nodes, 'inodes are those with a name');
  assert.is([...orphan.keys({})].length, 0, 'orphans');
  assert.is([...object.keys({})].length, 0, 'pending object work');
  assert.is([...client.keys({})].length, 0, 'rows of clients');
  const { path } = world;
  await world.close();
  assert.equal(fsckStore(path).findings, [], 'fsck');
}

function inodesOf({ tables }: World['server']['store']): Fid[] {
  return [...tables.inode.keys({})].map((key) => fidOfKey(key) as Fid).sort((a, b) => a - b);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
