/** A store of each format, as the code of its time wrote it: what it says, and that it is whole. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { nameFromText } from '../../src/base/name.js';
import { fsckStore } from '../../src/mds/fsck.js';
import { repairStore } from '../../src/mds/fsck-repair.js';
import { FORMAT_VERSION } from '../../src/store/limits.js';
import { withTemp } from '../support/damage.js';
import { FakeClock } from '../support/fake-clock.js';
import { contentsOf, readFrozen, thaw } from '../support/frozen-store.js';
import { projectRoot } from '../support/project-root.js';
import { Simulated } from '../support/simulated.js';
import { LOST, SETTINGS } from './freeze-feeds.js';

const FOLDER = join(projectRoot(), 'test/formats');
const FILES = fs.readdirSync(FOLDER).filter((name) => name.endsWith('.json.gz'));

test('every format has its store', () => {
  const wanted = Array.from({ length: FORMAT_VERSION }, (_, i) => `format-${i + 1}.json.gz`);
  assert.equal(FILES.sort(), wanted);
});

for (const file of FILES) {
  const frozen = readFrozen(join(FOLDER, file));

  test(`${file}: nothing is found, and a repair changes nothing`, async () => {
    await withTemp(async (folder) => {
      const path = join(folder, 'store');
      thaw(frozen, path);
      assert.equal(fsckStore(path).findings, []);
      const { mended, left, kept } = await repairStore(path, { clock: new FakeClock() });
      assert.equal([mended, left.findings, kept], [[], [], undefined]);
    });
  });

  test(`${file}: the tree and the feeds are as they were`, async () => {
    await withTemp(async (folder) => {
      const path = join(folder, 'store');
      thaw(frozen, path);
      const sim = new Simulated(path, {});
      await sim.settle();
      const { tree, feeds } = await contentsOf(sim);
      assert.equal({ tree, feeds }, { tree: frozen.tree, feeds: frozen.feeds });
      await sim.close();
      assert.equal(fsckStore(path).findings, []);
    });
  });
}

test('format 2: filters, policies, what was lost and what has expired', async () => {
  await withTemp(async (folder) => {
    const path = join(folder, 'store');
    thaw(readFrozen(join(FOLDER, 'format-2.json.gz')), path);
    const sim = new Simulated(path, {});
    const feed = (name: string) => must(sim.server.feeds.named(nameFromText(name)), name);
    for (const [name, settings] of Object.entries(SETTINGS)) {
      if ('filter' in settings) assert.is(feed(name).filterText, settings.filter);
      else assert.ok(feed(name).policyText?.includes('maxRecords'), name);
    }
    assert.is(feed('filtered').indexedFrom?.epoch, 0);
    const { lost } = feed('dropped');
    assert.equal([lost?.why, lost?.firstIndex], [LOST.dropped, 112]);
    const { state } = feed('expired');
    assert.is(state.kind === 'expired' && state.why, LOST.expired);
    await sim.close();
  });
});

test.run();
