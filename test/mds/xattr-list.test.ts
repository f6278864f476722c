/** The bound on an object's list of xattr names, however it came about. */
import * as assert from 'uvu/assert';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { XATTR_LIST_BYTES_MAX } from '../../src/mds/limits.js';
import { Random } from '../support/random.js';
import { make, reint, reintSuite } from './reint-fixture.js';

const test = reintSuite('xattr list');

test('names fit up to the bound, also after some were replaced and removed', async ({ sim }) => {
  const file = make(sim, ROOT_FID, 'file');
  const random = new Random(5);
  const { xattrs } = sim.server.namespace;
  const set = (fid: Fid, name: string) =>
    reint(sim, {
      op: 'setxattr',
      fid,
      name: nameFromText(name),
      value: new Uint8Array([1]),
      flags: 0,
    });
  const names: string[] = [];
  for (let i = 0; ; i++) {
    const name = `user.${'x'.repeat(200)}.${i}`;
    const before = xattrs.listBytes(file);
    const answer = set(file, name);
    if (before + name.length + 1 > XATTR_LIST_BYTES_MAX) {
      assert.is(answer, 'ENOSPC');
      break;
    }
    assert.is(typeof answer, 'object');
    names.push(name);
    if (random.chance(30))
      assert.is(typeof set(file, names[random.below(names.length)] ?? ''), 'object');
    if (random.chance(30)) {
      const [gone = ''] = names.splice(random.below(names.length), 1);
      assert.is(
        typeof reint(sim, { op: 'removexattr', fid: file, name: nameFromText(gone) }),
        'object',
      );
    }
    if (random.chance(10)) await sim.settle();
    assert.is(
      xattrs.listBytes(file),
      names.reduce((sum, n) => sum + n.length + 1, 0),
    );
  }
  assert.equal(xattrs.names(file).sort(), [...names].sort());
});

test.run();
