// test-timeout: 120 s
/** Two mounts of one server that both want a file: who is waited for, and who is not any more. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withSite } from '../cli/mds-fixture.js';
import { exitOf, within } from '../support/processes.js';

const CHILD = fileURLToPath(new URL('./cut-mapped-child.js', import.meta.url));
const SIZE = 50_000;
const ROUNDS = 12;
const ROUND_MS = 30_000;

async function answered(child: ChildProcess, n: number): Promise<void> {
  const [told] = await within(once(child, 'message'), ROUND_MS, 'a change of size');
  assert.is(told, n);
}

test('pages of mappings that wait for a change of size do not hold it up', () =>
  withSite(async (site) => {
    const server = await site.serve();
    const daemons = [await site.mount('one'), await site.mount('two')] as const;
    const paths = ['one', 'two'].map((name) => join(site.mountpoint(name), 'file'));
    fs.writeFileSync(paths[0] ?? '', Buffer.alloc(SIZE, 'x'));
    const children = paths.map((path) => fork(CHILD, [path, `${SIZE}`]));
    for (const child of children) await answered(child, 0);
    for (let n = 1; n <= ROUNDS; n++) {
      const both = children.map((child) => answered(child, n));
      for (const child of children) child.send(n);
      await Promise.all(both);
    }
    for (const child of children) {
      child.kill();
      await exitOf(child);
    }
    for (const path of paths) assert.is(fs.statSync(path).size, SIZE + ROUNDS);
    assert.not.match(server.log(), 'evicted');
    await site.unmount('one', daemons[0]);
    await site.unmount('two', daemons[1]);
    await site.stop(server);
  }));

test('a mount that stood still until it was given up writes into nothing that others have now', () =>
  withSite(async (site) => {
    const server = await site.serve();
    const [one, two] = [await site.mount('one'), await site.mount('two')];
    const mine = await fs.promises.open(join(site.mountpoint('one'), 'file'), 'w+');
    await mine.write(Buffer.alloc(20_000, 'a'), 0, 20_000, 0);
    await mine.sync();
    await mine.write(Buffer.alloc(5_000, 'A'), 0, 5_000, 0);
    one.process.kill('SIGSTOP');
    const late = mine.write(Buffer.alloc(100, 'Z'), 0, 100, 10_000).then(
      () => 'written',
      (error: NodeJS.ErrnoException) => error.code,
    );
    const theirs = await fs.promises.open(join(site.mountpoint('two'), 'file'), 'r+');
    await theirs.write(Buffer.alloc(20_000, 'b'), 0, 20_000, 0);
    await theirs.sync();
    one.process.kill('SIGCONT');
    assert.is(await late, 'EIO');
    assert.match(one.log(), /not recorded yet are lost, in 1 of its files: \[0x/);
    const { buffer, bytesRead } = await theirs.read(Buffer.alloc(30_000), 0, 30_000, 0);
    assert.is(buffer.subarray(0, bytesRead).toString(), 'b'.repeat(20_000));
    await theirs.close();
    await mine.close().catch(() => {});
    await site.unmount('one', one);
    await site.unmount('two', two);
    await site.stop(server);
  }));

test.run();
