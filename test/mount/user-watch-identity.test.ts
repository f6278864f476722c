/** Who is asking for a watch: programs and processes that are not, or not only, who they seem to be. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { run } from '../support/processes.js';
import {
  ALICE,
  asUser,
  BOB,
  makeCat,
  makeHome,
  sync,
  within,
  withUsers,
} from './user-watch-fixture.js';
import { brief, linesOf } from './watch-agent.js';

/** Polls and reads a descriptor that it was handed. */
const STRANGER = fileURLToPath(new URL('./watch-stranger-child.js', import.meta.url));

const { O_RDONLY, O_NONBLOCK } = fs.constants;

if (process.getuid?.() === 0) {
  test('a set-user-ID or set-group-ID program neither opens nor reads one', () =>
    withUsers(async (mount) => {
      fs.chmodSync(mount.folder, 0o755);
      for (const mode of [0o4755, 0o2755]) {
        const path = makeCat(mount, mode);
        for (const command of [`${path} "$MNT/.lustre/watch"`, `${path} < "$MNT/.lustre/watch"`]) {
          const { code, stderr } = await asUser(ALICE, `timeout 10 ${command}`, mount);
          assert.is(code, 1, `${command}: ${stderr}`);
          assert.match(stderr, /Permission denied/);
        }
      }
      // The thread bears the name of the link, which says that it is root altogether.
      fs.symlinkSync(makeCat(mount, 0o4755), join(mount.folder, '\rUid:\t0\t0\t0\t0'));
      const command = `timeout 10 "$FOLDER/"$'\\rUid:\\t0\\t0\\t0\\t0' "$MNT/.lustre/watch"`;
      const { code, stderr } = await asUser(ALICE, command, mount);
      assert.is(code, 1, stderr);
      assert.match(stderr, /Permission denied/);
    }));

  test('what a thread calls itself is not what it is: groups, process, name', () =>
    withUsers(async (mount) => {
      const secret = join(mount.mnt, 'secret');
      fs.mkdirSync(secret);
      fs.chownSync(secret, 0, 4242);
      fs.chmodSync(secret, 0o750);
      fs.mkdirSync(join(mount.mnt, 'public'));
      fs.chmodSync(join(mount.mnt, 'public'), 0o777);
      fs.chmodSync(mount.folder, 0o777);
      // The shell itself opens, reads and creates.
      const read = asUser(
        ALICE,
        `printf '\\rGroups:\\t4242' > /proc/self/comm; exec 3<"$MNT/.lustre/watch"
          : > "$FOLDER/opened"; read -r -t 20 -u 3 line; printf '%s\\n' "$line"`,
        mount,
      );
      await within(join(mount.folder, 'opened'), read);
      const fd = fs.openSync(join(mount.mnt, '.lustre/watch'), O_RDONLY | O_NONBLOCK);
      fs.writeFileSync(join(secret, 'x'), '');
      const create = `printf '\\rTgid:\\t1' > /proc/self/comm; : > "$MNT/public/y"; echo $$`;
      const { stdout: pid } = await asUser(ALICE, create, mount);
      sync(mount);
      assert.equal(brief(linesOf(`${(await read).stdout}`)), ['create y']);
      const text = Buffer.alloc(65_536);
      const all = linesOf(text.toString('utf8', 0, fs.readSync(fd, text)));
      fs.closeSync(fd);
      const made = all.find(({ name }) => name === 'y');
      assert.equal([made?.pid, made?.jobid], [Number(pid), '\rTgid:\t1.41001']);
    }));

  test('a descriptor that an ordinary user hands on is of no use to others, and stays whole', () =>
    withUsers(async (mount) => {
      const secret = join(mount.mnt, 'secret');
      fs.mkdirSync(secret);
      fs.chownSync(secret, ALICE.uid, 4242);
      fs.chmodSync(secret, 0o750);
      // One who may become somebody else opens it, and its children do not belong to the group.
      const script = `
        exec 3<>"$MNT/.lustre/watch"; : > "$MNT/secret/x"; sync "$MNT"
        "$NODE" "$STRANGER"
        setpriv --clear-groups "$NODE" "$STRANGER"
        setpriv --reuid 41002 --clear-groups "$NODE" "$STRANGER"
        head -n 1 <&3`;
      const may = '+setuid,+setgid';
      const ids = ['--reuid', '41001', '--regid', '41001', '--groups', '4242'];
      const caps = ['--inh-caps', may, '--ambient-caps', may];
      const env = { ...process.env, MNT: mount.mnt, NODE: process.execPath, STRANGER };
      const args = [...ids, ...caps, 'bash', '-c', script];
      const { stdout, stderr } = await run('setpriv', args, { cwd: '/', env });
      const [own, ...others] = `${stdout}`.split('\n');
      assert.is(own, 'POLLIN read', stderr);
      assert.equal(others.slice(0, 2), ['POLLERR EACCES', 'POLLERR EACCES']);
      assert.match(others[2] ?? '', /"name":"x"/);
    }));

  test('nor does a process whose ids are not all the same, whichever differs', () =>
    withUsers(async (mount) => {
      const env = { ...process.env, MNT: mount.mnt };
      for (const ids of ['--euid 41001', '--ruid 41001', '--egid 41001', '--rgid 41001']) {
        const script = `timeout 10 setpriv ${ids} --keep-groups head -n 1 "$MNT/.lustre/watch"`;
        const { code, stderr } = await run('bash', ['-c', script], { env });
        assert.is(code, 1, `${ids}: ${stderr}`);
        assert.match(stderr, /Permission denied/);
      }
    }));

  test('root of a user namespace is the user that it is outside', () =>
    withUsers(async (mount, alice) => {
      makeHome(mount, BOB);
      const command = `unshare -Ur bash -c '
        exec 3<"$MNT/.lustre/watch"; touch "$FOLDER/opened"; head -n 1 <&3'`;
      fs.chmodSync(mount.folder, 0o777);
      const read = asUser(ALICE, command, mount);
      await within(join(mount.folder, 'opened'), read);
      fs.writeFileSync(join(mount.mnt, 'home41002/secret'), '');
      fs.writeFileSync(join(mount.mnt, 'public'), '');
      const { stdout, stderr } = await read;
      // Where the kernel lets nobody have such a namespace there is nothing to see.
      if (!stderr.includes('unshare')) assert.equal(brief(linesOf(`${stdout}`)), ['create public']);
      await alice.watch(mount.mnt);
    }));

  test('a descriptor of the privileged goes on showing what its opener may see', () =>
    withUsers(async (mount) => {
      makeHome(mount, BOB);
      const command = `exec 3<"$MNT/.lustre/watch"; mkdir "$MNT/home41002/x" "$MNT/public"
        setpriv --reuid 41001 --regid 41001 --clear-groups head -n 2 <&3`;
      const env = { ...process.env, MNT: mount.mnt };
      const handed = await run('bash', ['-c', command], { env });
      assert.equal(brief(linesOf(`${handed.stdout}`)), ['mkdir x', 'mkdir public']);
    }));
}

test.run();
