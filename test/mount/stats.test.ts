/** What a mount counts about itself: by the command, in the control tree, over HTTP. */
import * as fs from 'node:fs';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Stats } from '../../src/rpc/messages.js';
import { parseExposition } from '../support/exposition.js';
import { feedfs, type TestMount, withFolder, withMount } from '../support/mount.js';

type Where = { readonly port: number } | { readonly socketPath: string };

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function get(where: Where, path: string, method = 'GET'): Promise<{ code: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', ...where, path, method }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ code: response.statusCode ?? 0, body }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

async function statsOf({ mnt }: TestMount): Promise<Stats> {
  const { code, stdout, stderr } = await feedfs(['stats', '--json', '--mount', mnt]);
  assert.is(code, 0, stderr);
  return JSON.parse(stdout.toString()) as Stats;
}

function operation({ client }: Stats, name: string): number {
  return client.operations.find((one) => one.operation === name)?.us.count ?? 0;
}

test('operations, commits, feeds and what they owe', () =>
  withMount(async (mount) => {
    const { mnt } = mount;
    fs.mkdirSync(join(mnt, '.lustre/feeds/f'));
    const before = await statsOf(mount);
    for (let i = 0; i < 25; i++) fs.mkdirSync(join(mnt, `d${i}`));
    const fd = fs.openSync(mnt, 'r');
    fs.fsyncSync(fd);
    fs.closeSync(fd);
    const after = await statsOf(mount);
    assert.is(operation(after, 'mkdir') - operation(before, 'mkdir'), 25);
    assert.is(after.server.objects.inodes - before.server.objects.inodes, 25);
    assert.is(after.server.log.nextIndex - before.server.log.nextIndex, 25);
    assert.ok(after.server.commits.changes - before.server.commits.changes >= 25);
    assert.ok(after.server.commits.batch.count > before.server.commits.batch.count);
    const [feed] = after.server.feeds;
    assert.equal([feed?.name, feed?.state, feed?.owedRecords], ['f', 'active', 25]);
    assert.ok((feed?.oldestSeconds ?? -1) >= 0);
  }));

test('a request that waited is counted when it is answered', () =>
  withMount(async (mount) => {
    fs.writeFileSync(join(mount.mnt, 'f'), 'x');
    const fd = fs.openSync(join(mount.mnt, 'f'), 'r+');
    fs.writeSync(fd, 'y');
    fs.fsyncSync(fd);
    fs.closeSync(fd);
    const fsync = (await statsOf(mount)).client.operations.find((one) => one.operation === 'fsync');
    assert.ok((fsync?.us.count ?? 0) >= 1);
    assert.ok((fsync?.waitedUs.count ?? 0) >= 1);
  }));

test('for people it fits 80 columns; --json and --prometheus exclude each other', () =>
  withMount(async ({ mnt }) => {
    fs.mkdirSync(join(mnt, '.lustre/feeds/backup'));
    fs.mkdirSync(join(mnt, 'd'));
    const { stdout } = await feedfs(['stats', '--mount', mnt]);
    const lines = stdout.toString().split('\n');
    assert.ok(lines.some((line) => /^mkdir +\d/.test(line)));
    assert.ok(lines.some((line) => /^backup +\d+/.test(line)));
    for (const line of lines) assert.ok(line.length <= 80, line);
    assert.is((await feedfs(['stats', '--json', '--prometheus', '--mount', mnt])).code, 2);
    const { stdout: exposition } = await feedfs(['stats', '--prometheus', '--mount', mnt]);
    assert.ok(parseExposition(exposition.toString()).samples.length > 20);
  }));

test('over HTTP: only where asked for, only /metrics, only reading', async () => {
  const port = await freePort();
  await withMount(
    async ({ mnt }) => {
      fs.mkdirSync(join(mnt, 'd'));
      const { code, body } = await get({ port }, '/metrics');
      assert.is(code, 200);
      const { samples } = parseExposition(body);
      const mkdirs = samples.find(
        ({ name, labels }) =>
          name === 'feedfs_operation_seconds_count' && labels.operation === 'mkdir',
      );
      assert.is(mkdirs?.value, 1);
      assert.is((await get({ port }, '/')).code, 404);
      assert.is((await get({ port }, '/metrics/../x')).code, 404);
      assert.is((await get({ port }, '/metrics', 'POST')).code, 405);
      assert.equal(await get({ port }, '/metrics', 'HEAD'), { code: 200, body: '' });
    },
    { options: `metrics=${port}` },
  );
});

test('garbage and half requests do not disturb the mount', async () => {
  const port = await freePort();
  await withMount(
    async ({ mnt }) => {
      const half = connect(port, '127.0.0.1');
      await new Promise((resolve) => half.once('connect', resolve));
      half.write('GET /met');
      const garbage = connect(port, '127.0.0.1');
      garbage.on('error', () => {}).resume();
      garbage.end(Buffer.alloc(100_000, 0xff));
      await new Promise((resolve) => garbage.once('close', resolve));
      fs.mkdirSync(join(mnt, 'd'));
      assert.is((await get({ port }, '/metrics')).code, 200);
      half.destroy();
    },
    { options: `metrics=${port}` },
  );
});

test('a unix socket is its owner alone, and one left by a killed daemon is replaced', () =>
  withFolder(async (folder) => {
    const socketPath = join(folder, 'metrics.sock');
    await withMount(
      async (mount) => {
        assert.is(fs.statSync(socketPath).mode & 0o777, 0o600);
        assert.is((await get({ socketPath }, '/metrics')).code, 200);
        await mount.kill();
        await mount.mount();
        assert.is((await get({ socketPath }, '/metrics')).code, 200);
      },
      { options: `metrics=unix:${socketPath}` },
    );
  }));

test('where nothing can listen nothing is mounted', () =>
  withFolder(async (folder) => {
    const taken = join(folder, 'taken');
    fs.writeFileSync(taken, 'precious');
    const mnt = join(folder, 'mnt');
    fs.mkdirSync(mnt);
    const args = ['mount', '-o', `metrics=unix:${taken}`, join(folder, 'store'), mnt];
    const { code, stderr } = await feedfs(args);
    assert.is(code, 1);
    assert.match(stderr, /cannot listen on .*taken/);
    assert.equal(fs.readdirSync(mnt), []);
    assert.is(fs.readFileSync(taken, 'utf8'), 'precious');
  }));

test('the statistics are their owner alone', () =>
  withMount(({ mnt }) => {
    assert.is(fs.statSync(join(mnt, '.lustre/stats')).mode & 0o7777, 0o400);
    assert.throws(() => fs.writeFileSync(join(mnt, '.lustre/stats'), 'x', { flag: 'r+' }), /EPERM/);
  }));

test.run();
