/** What was written to a name is told of under that name, also if it is renamed right after. */

import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fid, formatFid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { withFolder } from '../support/mount.js';
import { owedRecords } from '../support/namespace-model.js';
import { Simulated } from '../support/simulated.js';
import { bytes, createFile, type OpenFile, writeOf } from '../support/simulated-files.js';

const EXCHANGE = 2;

interface Fixture {
  readonly sim: Simulated;
  readonly filter: (filter: object) => Promise<void>;
  /** How many writes the feed is told of. */
  readonly told: () => Promise<number>;
}

function withFeed(use: (fixture: Fixture) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const sim = new Simulated(join(folder, 'store'));
    let feed = 0;
    sim.connection.call('feedCreate', { name: nameFromText('f') }, (_errno, made) => {
      feed = made?.id ?? 0;
    });
    await sim.settle();
    const filter = async (wanted: object): Promise<void> => {
      const text = JSON.stringify(wanted);
      sim.connection.call('feedSetText', { id: feed, file: 'filter', text }, () => {});
      await sim.settle();
    };
    const told = async (): Promise<number> => {
      await sim.settle();
      return owedRecords(sim, feed).filter(({ op }) => op === 'write').length;
    };
    await use({ sim, filter, told });
    await sim.close();
  });
}

function rename(sim: Simulated, from: [Fid, string], to: [Fid, string], flags = 0): void {
  const [nodeId, newParent] = [from[0], to[0]];
  const names = { name: nameFromText(from[1]), newName: nameFromText(to[1]) };
  assert.is(sim.ask('rename', { nodeId, newParent, ...names, flags }).outcome, 'ok');
}

function mkdir(sim: Simulated, name: string): Fid {
  const asked = { nodeId: ROOT_FID, name: nameFromText(name), mode: 0o755, umask: 0 };
  return (sim.ask('mkdir', asked).got.entry?.nodeId ?? 0) as Fid;
}

async function write(sim: Simulated, file: OpenFile): Promise<void> {
  assert.is((await sim.answer('write', writeOf(file, 0, bytes(100, 1)))).outcome, 'ok');
}

test('a file that gets another name', () =>
  withFeed(async ({ sim, filter, told }) => {
    const file = createFile(sim, 'a.jpg');
    await filter({ name: '*.jpg' });
    await write(sim, file);
    rename(sim, [ROOT_FID, 'a.jpg'], [ROOT_FID, 'a.bak']);
    assert.is(await told(), 1);
    await write(sim, file);
    assert.is(await told(), 1, 'it is no .jpg any more');
  }));

test('both files of an exchange', () =>
  withFeed(async ({ sim, filter, told }) => {
    const [a, b] = [createFile(sim, 'a.jpg'), createFile(sim, 'b.bak')];
    await filter({ name: '*.jpg' });
    await write(sim, a);
    await write(sim, b);
    rename(sim, [ROOT_FID, 'b.bak'], [ROOT_FID, 'a.jpg'], EXCHANGE);
    assert.is(await told(), 1, 'that of the one that was a .jpg');
  }));

for (const [what, flags] of [
  ['moves', 0],
  ['is exchanged with a file', EXCHANGE],
] as const) {
  test(`a file below a directory that ${what}`, () =>
    withFeed(async ({ sim, filter, told }) => {
      const [top, inner] = [mkdir(sim, 'top'), mkdir(sim, 'inner')];
      rename(sim, [ROOT_FID, 'inner'], [top, 'inner']);
      const file = createFile(sim, 'file');
      createFile(sim, 'other');
      rename(sim, [ROOT_FID, 'file'], [inner, 'file']);
      await filter({ subtree: formatFid(top) });
      await write(sim, file);
      if (flags === EXCHANGE) rename(sim, [ROOT_FID, 'other'], [top, 'inner'], flags);
      else rename(sim, [top, 'inner'], [ROOT_FID, 'inner'], flags);
      assert.is(await told(), 1);
    }));
}

test.run();
