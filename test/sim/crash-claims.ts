/** What must hold after every crash, once the store is open again. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import type { Fid } from '../../src/base/fid.js';
import { nameOf } from '../../src/objects/object-store.js';
import { fidOfKey } from '../../src/store/keys.js';
import { namesKnown, namesListed } from '../support/links.js';
import { namespaceOf, owedRecords } from '../support/namespace-model.js';
import { flatten, type ModelNode, Replayer } from '../support/replayer.js';
import type { CrashRun } from './crash-run.js';

export async function checkClaims(run: CrashRun, crashed: boolean): Promise<void> {
  const { sim } = run;
  await sim.settle();
  if (!crashed) assert.is(sim.server.log.end.index, run.endIndex, 'a start adds no record');
  const nodes = namespaceOf(sim);
  checkFeed(run, nodes);
  checkCursor(run);
  checkTables(run, nodes);
  checkObjectFiles(run, nodes);
  await checkContents(run, nodes);
  run.directories = run.directories.filter((fid) => nodes.has(fid));
  sim.holdFlushes = true;
}

/** The namespace is what the feed says, and the feed takes nothing back that it has shown. */
function checkFeed(run: CrashRun, nodes: Map<Fid, ModelNode>): void {
  const records = owedRecords(run.sim, run.feed);
  assert.ok(records.length >= run.shown, `${records.length} records, ${run.shown} were shown`);
  const replayer = new Replayer(structuredClone(must(run.root, 'root')));
  let transno = 0;
  for (const record of records) {
    assert.ok(record.transno >= transno, 'transnos grow');
    transno = record.transno;
    replayer.apply(record);
  }
  assert.is(records.length, run.sim.server.log.end.index - 1, 'every record is owed');
  run.shown = records.length;
  const [found, said] = [flatten(nodes), flatten(replayer.nodes)];
  for (const [path, value] of said) {
    assert.equal(found.get(path), value, `${path}: found (left) and said by the feed (right)`);
  }
  assert.equal([...found.keys()], [...said.keys()], 'paths');
}

function checkCursor({ sim, acknowledged }: CrashRun): void {
  if (acknowledged === undefined) return;
  const feed = sim.server.feeds.get(acknowledged.id);
  assert.ok(feed, 'a feed whose making was answered is there');
  assert.ok(feed.cancelled.covers(0, acknowledged.to) || acknowledged.to === 0, 'cursor');
}

/** No orphan, no lost inode, no pending work, and the right number of inodes. */
function checkTables({ sim }: CrashRun, nodes: Map<Fid, ModelNode>): void {
  const { inode, link, orphan, object } = sim.store.tables;
  const inodes = [...inode.keys({})].map((key) => fidOfKey(key));
  assert.equal(
    inodes,
    [...nodes.keys()].sort((a, b) => a - b),
    'inodes are those with a name',
  );
  assert.is(sim.server.namespace.inodeCount, nodes.size, 'count of inodes');
  const names = namesListed(sim);
  assert.equal(namesKnown(sim.server.namespace.links, names.keys()), names, 'names');
  const further = [...names.values()].reduce((sum, of) => sum + Math.max(0, of.length - 1), 0);
  assert.is([...link.keys({})].length, further, 'rows of further names');
  assert.is([...orphan.keys({})].length, 0, 'orphans');
  assert.is([...object.keys({})].length, 0, 'pending object work');
}

/** Every object file that is referred to exists, and no other, also after a crash. */
function checkObjectFiles(run: CrashRun, nodes: Map<Fid, ModelNode>): void {
  const { sim } = run;
  const wanted: string[] = [];
  for (const fid of nodes.keys()) {
    const attributes = sim.server.namespace.inode(fid);
    if (attributes.layout === 'object') wanted.push(nameOf(attributes));
  }
  const objects = join(sim.path, 'objects');
  const folders = readdirSync(objects).filter((name) => name !== 'made');
  const found = folders.flatMap((name) => readdirSync(join(objects, name)));
  for (const name of wanted) assert.ok(found.includes(name), `object file ${name} is missing`);
  const garbage = found.filter((name) => !wanted.includes(name));
  assert.equal(garbage, [], 'object files that nothing refers to');
}

async function checkContents(run: CrashRun, nodes: Map<Fid, ModelNode>): Promise<void> {
  for (const [fid, history] of run.files) {
    const node = nodes.get(fid);
    if (node === undefined) {
      assert.ok(run.unlinked.has(fid) || !history.promised, `file ${fid} was lost after fsync`);
      run.files.delete(fid);
      continue;
    }
    const opened = await run.sim.answer('open', { nodeId: fid, flags: 0, killSuidgid: false });
    const fh = opened.got.open?.fh ?? 0;
    const request = { nodeId: fid, fh, offset: 0, size: node.attrs.size, flags: 0 };
    const { bytes } = run.sim.ask('read', { ...request, lockOwner: undefined }).got;
    const problem = history.crashed(bytes ?? new Uint8Array(0));
    assert.is(problem, undefined, `file ${fid}: ${problem}`);
    assert.is(history.size, node.attrs.size, 'bytes read');
    const release = { nodeId: fid, fh, flags: 0, lockOwner: 0n, unlockFlock: false };
    await run.sim.answer('release', release);
  }
}
