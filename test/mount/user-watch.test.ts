/** `-o user_watch` with real users of this machine (native-notes/user-watch.md). */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fid, formatFid } from '../../src/base/fid.js';
import { WATCHES_PER_USER_MAX } from '../../src/mds/limits.js';
import { withMount } from '../support/mount.js';
import { ALICE, asUser, BOB, makeHome, sync, withUsers } from './user-watch-fixture.js';
import { brief, linesOf, withAgent } from './watch-agent.js';

const { O_RDONLY, O_NONBLOCK } = fs.constants;

if (process.getuid?.() === 0) {
  test('without the option other users cannot open it', () =>
    withMount((mount) =>
      withAgent(ALICE, async (alice) => {
        const path = join(mount.mnt, '.lustre/watch');
        for (const flags of [O_RDONLY, fs.constants.O_RDWR]) {
          assert.equal(await alice.ask({ call: 'open', path, flags }), { error: 'EACCES' });
        }
      }),
    ));

  test('each user sees what it may list, and of others no more than that', () =>
    withUsers(async (mount, alice, bob) => {
      const { mnt } = mount;
      const [hers, his] = [makeHome(mount, ALICE), makeHome(mount, BOB)];
      const [a, b] = [await alice.watch(mnt), await bob.watch(mnt)];
      fs.writeFileSync(join(hers, 'hers'), '');
      fs.writeFileSync(join(his, 'his'), '');
      fs.mkdirSync(join(mnt, 'public'));
      const made = await asUser(ALICE, 'mkdir "$MNT/home41001/own"', mount);
      assert.is(made.code, 0, made.stderr);
      sync(mount);
      const lines = await alice.lines(a);
      assert.equal(brief(lines), ['create hers', 'mkdir public', 'mkdir own']);
      assert.equal(
        lines.map(({ uid }) => uid),
        [undefined, undefined, ALICE.uid],
      );
      assert.match(`${lines[2]?.jobid}`, /^mkdir\.41001$/);
      assert.equal(brief(await bob.lines(b)), ['create his', 'mkdir public']);
    }));

  test('supplementary groups of the process count', () =>
    withUsers(async (mount, alice, bob) => {
      const shared = join(mount.mnt, 'shared');
      fs.mkdirSync(shared);
      fs.chownSync(shared, 0, 41_900);
      fs.chmodSync(shared, 0o750);
      const [a, b] = [await alice.watch(mount.mnt), await bob.watch(mount.mnt)];
      fs.writeFileSync(join(shared, 'x'), '');
      sync(mount);
      assert.equal(brief(await alice.lines(a)), ['create x']);
      assert.equal(await bob.lines(b), []);
    }));

  test('nothing of the control tree, and root sees everything as before', () =>
    withUsers(async (mount, alice) => {
      const a = await alice.watch(mount.mnt);
      const fd = fs.openSync(join(mount.mnt, '.lustre/watch'), O_RDONLY | O_NONBLOCK);
      mount.feed('backup');
      makeHome(mount, BOB);
      fs.writeFileSync(join(mount.mnt, 'home41002/x'), '');
      sync(mount);
      const text = Buffer.alloc(65_536);
      const length = fs.readSync(fd, text);
      fs.closeSync(fd);
      const all = linesOf(text.toString('utf8', 0, length));
      assert.is(all.at(-1)?.name, 'x');
      assert.is(all.at(-1)?.uid, 0);
      assert.not.match(JSON.stringify(await alice.lines(a)), /backup|lustre|"x"/);
    }));

  test('who waits is not woken by what others do in private', () =>
    withUsers(async (mount, alice) => {
      const his = makeHome(mount, BOB);
      const fd = await alice.watch(mount.mnt, undefined, O_RDONLY);
      const polled = await alice.watch(mount.mnt);
      const read = alice.nextLines(fd);
      for (let i = 0; i < 5; i++) {
        fs.writeFileSync(join(his, `${i}`), '');
        sync(mount);
        assert.is(await alice.isReadable(polled), false);
      }
      fs.writeFileSync(join(mount.mnt, 'public'), '');
      sync(mount);
      const lines = await read;
      assert.equal(brief(lines), ['create public']);
      assert.equal([lines[0]?.index, lines[0]?.offset], ['1', '0']);
      assert.is(await alice.isReadable(polled), true);
    }));

  test('what was written while a directory was private is not shown once it is open', () =>
    withUsers(async (mount, alice) => {
      const home = makeHome(mount, BOB);
      const path = join(home, 'file');
      fs.writeFileSync(path, 'x'.repeat(100_000));
      const a = await alice.watch(mount.mnt);
      const fd = fs.openSync(path, 'r+');
      fs.writeSync(fd, 'private', 4_096);
      fs.chmodSync(home, 0o755);
      sync(mount);
      assert.equal(brief(await alice.lines(a)), [`setattr ${fidOf(home)}`]);
      fs.writeSync(fd, 'public', 8_192);
      fs.closeSync(fd);
      sync(mount);
      const [line, ...more] = await alice.lines(a);
      assert.equal(
        [line?.op, line?.extents, more],
        ['write', [{ offset: '8192', length: '6' }], []],
      );
    }));

  test('so many per user, and an end frees one', () =>
    withUsers(async (mount, alice, bob) => {
      const fds: number[] = [];
      for (let i = 0; i < WATCHES_PER_USER_MAX; i++) fds.push(await alice.watch(mount.mnt));
      const path = join(mount.mnt, '.lustre/watch');
      const request = { call: 'open', path, flags: O_RDONLY } as const;
      assert.equal(await alice.ask(request), { error: 'EMFILE' });
      await bob.watch(mount.mnt);
      await alice.close(fds[0] ?? -1);
      await alice.watch(mount.mnt);
      const stats = fs.readFileSync(join(mount.mnt, '.lustre/stats'), 'utf8');
      assert.match(stats, /"watches_refused":1/);
    }));

  test('a user without an account is a user like any other', () =>
    withMount(
      (mount) =>
        withAgent({ uid: 4_000_000_001, gid: 4_000_000_001, groups: [] }, async (agent) => {
          const fd = await agent.watch(mount.mnt);
          fs.writeFileSync(join(mount.mnt, 'x'), '');
          sync(mount);
          assert.equal(brief(await agent.lines(fd)), ['create x']);
        }),
      { options: 'user_watch' },
    ));
}

function fidOf(path: string): string {
  return formatFid(fs.statSync(path).ino as Fid);
}

test.run();
