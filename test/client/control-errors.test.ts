/** What a feed's directory and files say when the server cannot tell of the feed. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../src/base/errno.js';
import { nameFromText } from '../../src/base/name.js';
import { type ControlNode, fidOfNode } from '../../src/client/control/nodes.js';
import { withFolder } from '../support/mount.js';
import { Simulated } from '../support/simulated.js';

const test = suite('control errors');

const id = 1;
const FILES: readonly ControlNode[] = [
  { kind: 'info', id },
  { kind: 'setting', id, file: 'filter' },
  { kind: 'setting', id, file: 'policy' },
];
const NODES: readonly ControlNode[] = [
  ...FILES,
  { kind: 'feed', id },
  { kind: 'stream', id, view: 'stream' },
];

function outcomes(sim: Simulated): { readonly opened: string[]; readonly stated: string[] } {
  const nodeIds = (nodes: readonly ControlNode[]) => nodes.map((node) => fidOfNode(node));
  return {
    opened: nodeIds(FILES).map(
      (nodeId) => sim.ask('open', { nodeId, flags: 0, killSuidgid: false }).outcome,
    ),
    stated: nodeIds(NODES).map((nodeId) => sim.ask('getattr', { nodeId, fh: undefined }).outcome),
  };
}

test('the disk failed: EIO; there is no such feed: ENOENT', () =>
  withFolder(async (folder) => {
    const sim = new Simulated(join(folder, 'store'));
    const none = outcomes(sim);
    assert.equal([...new Set([...none.opened, ...none.stated])], ['ENOENT']);
    sim.connection.call('feedCreate', { name: nameFromText('f') }, () => {});
    await sim.settle();
    const fine = outcomes(sim);
    assert.equal([...new Set([...fine.opened, ...fine.stated])], ['ok']);
    const { connection } = sim;
    const call = connection.call.bind(connection);
    connection.call = (method, request, answer) => {
      if (method === 'feedText' || method === 'feedStatus') answer(Errno.EIO, undefined);
      else call(method, request, answer);
    };
    const failed = outcomes(sim);
    assert.equal([...new Set([...failed.opened, ...failed.stated])], ['EIO']);
    connection.call = call;
    await sim.close();
  }));

test.run();
