/** What lies where the socket of the statistics is to be: left behind, or somebody's. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CliError } from '../../src/cli/cli-error.js';
import { serveMetrics } from '../../src/cli/metrics-server.js';
import { withFolder } from '../support/mount.js';
import { boundSocket, listenBusily } from '../support/unix-socket.js';

/** Whether it could be served there. */
async function isServed(path: string): Promise<boolean> {
  try {
    const server = await serveMetrics({ kind: 'unix', path }, (done) => done(undefined));
    server.close();
    return true;
  } catch (error) {
    assert.instance(error, CliError);
    assert.match(String(error), path);
    return false;
  }
}

function withPath(use: (path: string) => Promise<void>): Promise<void> {
  return withFolder((folder) => use(join(folder, 'metrics.sock')));
}

test('a socket that no process has is replaced', () =>
  withPath(async (path) => {
    fs.closeSync(boundSocket(path, 'stream'));
    assert.ok(fs.lstatSync(path).isSocket());
    assert.ok(await isServed(path));
  }));

test('a datagram socket in use stays', () =>
  withPath(async (path) => {
    const fd = boundSocket(path, 'datagram');
    assert.not(await isServed(path));
    assert.ok(fs.lstatSync(path).isSocket());
    fs.closeSync(fd);
  }));

test('a listening socket that takes no further connection stays', () =>
  withPath(async (path) => {
    const fd = boundSocket(path, 'stream');
    const waiting = listenBusily(fd, path);
    assert.not(await isServed(path));
    assert.ok(fs.lstatSync(path).isSocket());
    for (const one of [fd, ...waiting]) fs.closeSync(one);
  }));

test('what is no socket stays', () =>
  withPath(async (path) => {
    fs.writeFileSync(path, 'mine');
    assert.not(await isServed(path));
    assert.is(fs.readFileSync(path, 'utf8'), 'mine');
  }));

test.run();
