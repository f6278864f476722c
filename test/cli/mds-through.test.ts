import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { feedfs } from '../support/mount.js';
import { run } from '../support/processes.js';
import { withSite } from './mds-fixture.js';

const SCRIPT = `
set -e
head -c 3000000 /dev/urandom > big
cp big through/big && cmp big through/big && cmp big direct/big
head -c 100 big > direct/small && cat direct/small >> through/small2 && cmp direct/small through/small2
dd if=/dev/zero of=through/sparse bs=1 count=1 seek=5000000 2>/dev/null
test "$(stat -c %s direct/sparse)" = 5000001
fallocate -p -o 0 -l 1000000 through/big
head -c 1000000 /dev/zero | cmp -n 1000000 - direct/big
truncate -s 2000000 direct/big && test "$(stat -c %s through/big)" = 2000000
tail -c 1000 direct/big | cmp - <(tail -c 1000 through/big)
mv direct/big direct/moved && cmp direct/moved through/moved
`;

test('a mount that does not reach the object files reads and writes through the server', () =>
  withSite(async (site) => {
    const server = await site.serve();
    const through = await site.mount('through', '--through-server');
    const direct = await site.mount('direct');
    const did = await run('bash', ['-c', SCRIPT], { cwd: site.folder });
    assert.is(did.code, 0, did.stderr);
    await site.unmount('through', through);
    await site.unmount('direct', direct);
    await site.stop(server);
    const fsck = await feedfs(['fsck', site.store]);
    assert.is(fsck.code, 0, fsck.stdout.toString());
  }));

test('sqlite and git work on it', () =>
  withSite(async (site) => {
    const server = await site.serve();
    const through = await site.mount('through', '--through-server');
    const sqlite = `sqlite3 through/db "pragma journal_mode=wal; create table t(a); insert into t values(1),(2); select sum(a) from t;"`;
    const did = await run('bash', ['-c', sqlite], { cwd: site.folder });
    assert.is(did.stdout.toString().trim().split('\n').at(-1), '3', did.stderr);
    const git =
      'cd through && git init -q r && cd r && seq 10000 > f && git add f && git -c user.name=a -c user.email=b commit -qm c && git fsck --full && git log --oneline | wc -l';
    const committed = await run('bash', ['-c', git], { cwd: site.folder });
    assert.is(committed.code, 0, committed.stderr);
    assert.is(committed.stdout.toString().trim().split('\n').at(-1), '1');
    await site.unmount('through', through);
    await site.stop(server);
  }));

test.run();
