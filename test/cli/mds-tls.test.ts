import * as fs from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { feedfs } from '../support/mount.js';
import { run, runOk } from '../support/processes.js';
import { withSite } from './mds-fixture.js';

/** An authority in `folder`, and what it signs: `NAME.crt` and `NAME.key`, for this machine. */
async function authority(folder: string, ...names: readonly string[]): Promise<void> {
  fs.mkdirSync(folder);
  const options = { cwd: folder };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout'];
  const ca = ['req', '-x509', ...key, 'ca.key', '-out', 'ca.crt', '-subj', '/CN=authority'];
  await runOk('openssl', ca, options);
  for (const name of names) {
    const to = [`${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`];
    await runOk('openssl', ['req', ...key, ...to], options);
    fs.writeFileSync(join(folder, 'ext'), 'subjectAltName=IP:127.0.0.1');
    const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'ext'];
    const sign = ['x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.crt`];
    await runOk('openssl', sign, options);
  }
}

function tls(folder: string, name: string): string[] {
  const file = (base: string) => join(folder, base);
  return [
    ...['--tls-cert', file(`${name}.crt`), '--tls-key', file(`${name}.key`)],
    ...['--tls-ca', file('ca.crt')],
  ];
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

test('over TCP with certificates on both sides, and not without', () =>
  withSite(async (site) => {
    const good = join(site.folder, 'good');
    const other = join(site.folder, 'other');
    await authority(good, 'server', 'client');
    await authority(other, 'client');
    const address = `tcp:127.0.0.1:${await freePort()}`;
    const plain = await feedfs(['mds', '-f', '--listen', address, site.store]);
    assert.is(plain.code, ExitCode.USAGE);
    const server = await site.serve('--listen', address, ...tls(good, 'server'));
    const mnt = site.mountpoint('mnt');
    for (const files of [[], tls(other, 'client')]) {
      const refused = await feedfs(['mount', '--mds', address, ...files, mnt]);
      assert.is(refused.code, files.length === 0 ? ExitCode.USAGE : ExitCode.NO_SERVER);
    }
    const mount = await site.start(['mount', '-f', '--mds', address, ...tls(good, 'client'), mnt]);
    const local = await site.mount('local');
    const did = await run('sh', ['-c', 'echo hello > mnt/a && cat local/a'], { cwd: site.folder });
    assert.is(did.stdout.toString(), 'hello\n', did.stderr);
    const status = await feedfs(['mds', 'status', '--json', ...tls(good, 'client'), address]);
    const { clients } = JSON.parse(status.stdout.toString());
    assert.is(clients.length, 2);
    await site.unmount('mnt', mount);
    await site.unmount('local', local);
    await site.stop(server);
  }));

test.run();
