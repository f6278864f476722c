/** `.lustre/places`: FIDs are written, names are read. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { controlFid, type Fid, formatFid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { fidOfNode } from '../../src/client/control/nodes.js';
import { PLACES_WAITING_MAX, PLACES_WRITE_BYTES_MAX } from '../../src/client/limits.js';
import type { Credentials } from '../../src/rpc/messages.js';
import { linkKey } from '../../src/store/keys.js';
import type { FakeReply } from '../support/fake-reply.js';
import { withFolder } from '../support/mount.js';
import { Simulated } from '../support/simulated.js';
import { createFile } from '../support/simulated-files.js';

const WHO: Credentials = { uid: 0, gid: 0, pid: 1, jobid: '', nid: '0@lo' };
const NODE = fidOfNode({ kind: 'places' });

const test = suite('places');

class Query {
  readonly sim: Simulated;
  readonly #fh: number;

  constructor(sim: Simulated) {
    this.sim = sim;
    const opened = sim.ask('open', { nodeId: NODE, flags: 2, killSuidgid: false });
    this.#fh = must(opened.got.open, opened.outcome).fh;
  }

  write(text: string): FakeReply {
    const data = Buffer.from(text, 'latin1');
    const asked = { nodeId: NODE, fh: this.#fh, offset: 0, flags: 0, data, fromCache: false };
    return this.sim.ask('write', { ...asked, killSuidgid: false, lockOwner: undefined });
  }

  read(size = 65_536): FakeReply {
    const asked = { nodeId: NODE, fh: this.#fh, offset: 0, flags: 0, lockOwner: undefined };
    return this.sim.ask('read', { ...asked, size });
  }

  text(size?: number): string {
    let text = '';
    for (;;) {
      const bytes = must(this.read(size).got.bytes, 'bytes');
      if (bytes.byteLength === 0) return text;
      text += Buffer.from(bytes).toString('utf8');
    }
  }

  ask(...fids: readonly Fid[]): unknown[] {
    assert.is(this.write(fids.map(formatFid).join('\n')).outcome, 'ok');
    const lines = this.text().split('\n');
    assert.is(lines.pop(), '');
    return lines.map((line) => JSON.parse(line) as unknown);
  }
}

function withQuery(use: (query: Query, sim: Simulated) => void | Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const sim = new Simulated(join(folder, 'store'));
    await use(new Query(sim), sim);
    await sim.close();
  });
}

function link(sim: Simulated, fid: Fid, parent: Fid, name: string): void {
  const change = { op: 'link', fid, parent, name: name as never } as const;
  const result = sim.rpc('reint', { who: WHO, change });
  assert.type(result, 'object');
}

const ROOT = '[0x200000007:0x1:0x0]';

test('names of files, directories, the root, and of what is not there', () =>
  withQuery((query, sim) => {
    const { fid } = createFile(sim, 'a');
    const made = sim.ask('mkdir', {
      ...{ nodeId: ROOT_FID, name: nameFromText('d'), mode: 0o40700, umask: 0 },
    });
    const directory = must(made.got.entry, 'a directory').nodeId as Fid;
    link(sim, fid, directory, 'caf\xe9\n');
    link(sim, fid, ROOT_FID, nameFromText('é "x"'));
    const absent = (fid + 50) as Fid;
    const [file, ...others] = query.ask(fid, directory, ROOT_FID, absent, controlFid(3));
    const { places, ...rest } = file as { places: unknown[] };
    assert.equal(rest, { fid: formatFid(fid), mode: '0100644' });
    assert.equal(places[0], { parent: ROOT, name: 'a' }, 'the primary name first');
    const base64 = Buffer.from('caf\xe9\n', 'latin1').toString('base64');
    const further = [
      { parent: formatFid(directory), name: { base64 } },
      { parent: ROOT, name: 'é "x"' },
    ];
    const sorted = (list: readonly unknown[]) => list.map((one) => JSON.stringify(one)).sort();
    assert.equal(sorted(places.slice(1)), sorted(further));
    const inRoot = { parent: ROOT, name: 'd' };
    assert.equal(others, [
      { fid: formatFid(directory), mode: '040700', places: [inRoot] },
      { fid: ROOT, mode: '040755', places: [{ parent: null, name: '' }] },
      { fid: formatFid(absent), mode: '0', places: [] },
      { fid: formatFid(controlFid(3)), mode: '0', places: [] },
    ]);
    assert.is(query.read().got.count, 0, 'then the end');
  }));

test('an object that is open without a name has none', () =>
  withQuery((query, sim) => {
    const { fid } = createFile(sim, 'a');
    const removed = sim.ask('unlink', { nodeId: ROOT_FID, name: nameFromText('a') });
    assert.is(removed.outcome, 'ok');
    assert.equal(query.ask(fid), [{ fid: formatFid(fid), mode: '0100644', places: [] }]);
  }));

test('the same in reads of any size, and what is so when it is read', () =>
  withQuery((query, sim) => {
    const fids = Array.from({ length: 40 }, (_, i) => createFile(sim, `file ${i}`).fid);
    const question = `${fids.map(formatFid).join('\n')}\n`;
    query.write(question);
    const whole = query.text();
    for (const size of [1, 7, 100, 4096]) {
      query.write(question);
      assert.is(query.text(size), whole);
    }
    query.write(question);
    const moved = { nodeId: ROOT_FID, name: nameFromText('file 3'), flags: 0 };
    const to = { newParent: ROOT_FID, newName: nameFromText('moved') };
    assert.is(sim.ask('rename', { ...moved, ...to }).outcome, 'ok');
    assert.is(query.text(), whole.replace('"file 3"', '"moved"'));
  }));

test('each open has its own questions', () =>
  withQuery((query, sim) => {
    const { fid } = createFile(sim, 'a');
    query.write(formatFid(fid));
    assert.is(new Query(sim).read().got.count, 0);
    assert.is(query.text().split('\n').length, 2);
  }));

test('bad input is refused and changes nothing', () =>
  withQuery((query) => {
    const good = formatFid(ROOT_FID);
    query.write(good);
    for (const bad of [
      'x',
      `${good}\nx`,
      `${good}\n\n${good}`,
      ` ${good}`,
      `${good}\r\n`,
      '\n\0',
    ]) {
      assert.is(query.write(bad).outcome, 'EINVAL', JSON.stringify(bad));
    }
    const lines = PLACES_WRITE_BYTES_MAX / (good.length + 1) + 1;
    assert.is(query.write(`${good}\n`.repeat(lines)).outcome, 'EINVAL', 'too long');
    assert.is(query.text().split('\n').length, 2, 'the one that was good');
  }));

test('so many questions wait, and no more', () =>
  withQuery((query) => {
    const line = `${formatFid(ROOT_FID)}\n`;
    const perWrite = Math.floor(PLACES_WRITE_BYTES_MAX / line.length);
    let waiting = 0;
    while (waiting + perWrite <= PLACES_WAITING_MAX) {
      assert.is(query.write(line.repeat(perWrite)).outcome, 'ok');
      waiting += perWrite;
    }
    assert.is(query.write(line.repeat(perWrite)).outcome, 'EBUSY');
    assert.is(query.text().split('\n').length, waiting + 1);
    assert.is(query.write(line.repeat(perWrite)).outcome, 'ok');
  }));

test('names that the store cannot give are an error of that object alone', () =>
  withQuery(async (query, sim) => {
    const { fid } = createFile(sim, 'a');
    link(sim, fid, ROOT_FID, 'b');
    await sim.settle();
    sim.store.commit(() => {
      for (const key of [...sim.store.tables.link.keys({})]) sim.store.tables.link.remove(key);
      sim.store.tables.link.put(linkKey(fid, ROOT_FID, 17), new Uint8Array(0));
    });
    query.write([ROOT_FID, fid, ROOT_FID].map(formatFid).join('\n'));
    assert.is(query.read().outcome, 'ok');
    assert.is(query.read().outcome, 'EIO');
    assert.is(query.text().split('\n').length, 2);
  }));

test.run();
