/** ACLs by the programs that people use, on a mount whose feed must tell all of it. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fails, modeOf } from '../posix/case.js';
import { getxattr, setxattr } from '../posix/libc.js';
import { ACCESS, aclOf, aclText, DEFAULT } from '../support/acl.js';
import { feedfs, type TestMount, withMount } from '../support/mount.js';
import { run, runOk } from '../support/processes.js';
import { USER } from './ordinary-user.js';
import { ReplayMount } from './replay-mount.js';

const CAPABILITY = 'security.capability';

/** Runs a shell script in the mount, as root or as {@link USER}; its standard output. */
async function sh(mount: TestMount, script: string, user = false): Promise<string> {
  const who = user ? USER : {};
  return runOk('sh', ['-ec', script], { cwd: mount.mnt, ...who });
}

/** A mount with a feed on it, which must give the same tree when `use` is over. */
function recorded(use: (mount: TestMount) => Promise<void>): Promise<void> {
  return withMount(async (mount) => {
    const replay = new ReplayMount(mount);
    replay.begin();
    await use(mount);
    replay.quiesce();
    replay.check();
    await mount.unmount();
    const { code, stdout } = await feedfs(['fsck', mount.store]);
    assert.is(code, 0, `${stdout}`);
    await mount.mount();
  });
}

function aclAt(mount: TestMount, name: string, which = ACCESS): string[] {
  return aclText(getxattr(join(mount.mnt, name), which));
}

if (process.getuid?.() === 0) {
  test('setfacl, getfacl and ls: what is set is shown, kept over a remount, and restored', () =>
    recorded(async (mount) => {
      await sh(
        mount,
        'mkdir -p tree/inner && echo x > tree/inner/file && ln -s file tree/inner/link',
      );
      await sh(mount, 'setfacl -m u:7:rwx,g:8:r-x,o::- tree/inner tree/inner/file');
      await sh(mount, 'setfacl -d -m u:7:rwx tree && setfacl -m m::r tree/inner/file');
      const [, directory, file] = (await sh(mount, 'ls -ld . tree/inner tree/inner/file')).split(
        '\n',
      );
      assert.match(directory ?? '', /^drwxrwx---\+ /);
      assert.match(file ?? '', /^-rw-r-----\+ /);
      const shown = await sh(mount, 'getfacl -Rn tree');
      assert.match(shown, 'user:7:rwx\t#effective:r--');
      assert.match(shown, 'default:user:7:rwx');
      await mount.remount();
      assert.is(await sh(mount, 'getfacl -Rn tree'), shown);
      await sh(mount, 'setfacl -Rb tree');
      assert.not.match(await sh(mount, 'getfacl -Rn tree'), 'user:7');
      await run('setfacl', ['--restore=-'], { cwd: mount.mnt, input: shown });
      assert.is(await sh(mount, 'getfacl -Rn tree'), shown);
    }));

  test('cp -a and mv keep them, and a shared directory works for all whom it names', () =>
    recorded(async (mount) => {
      await sh(mount, `mkdir -m 700 shared && setfacl -m u:${USER.uid}:rwx shared`);
      await sh(mount, `setfacl -d -m u:${USER.uid}:rwx,u:0:rwx,o::- shared && touch shared/roots`);
      await sh(
        mount,
        'umask 077; mkdir shared/d; echo mine > shared/d/f; echo too >> shared/roots',
        true,
      );
      await sh(mount, 'cp -a shared copy && mv copy/d/f copy/moved');
      assert.is(modeOf(join(mount.mnt, 'shared/d')), 0o770);
      assert.is(modeOf(join(mount.mnt, 'shared/d/f')), 0o660);
      for (const name of ['shared/d/f', 'copy/moved']) {
        assert.equal(aclAt(mount, name), [
          ...['u::rw-', 'u:0:rwx', `u:${USER.uid}:rwx`, 'g::---', 'm::rw-', 'o::---'],
        ]);
      }
      assert.equal(aclAt(mount, 'copy/d', DEFAULT), aclAt(mount, 'shared', DEFAULT));
    }));

  test('the kernel knows at once what another name of the file was given', () =>
    recorded(async (mount) => {
      await sh(mount, 'echo x > a && chmod 600 a && ln a b');
      const reads = async (): Promise<boolean> =>
        (await run('cat', ['b'], { cwd: mount.mnt, ...USER })).code === 0;
      assert.not.ok(await reads());
      for (let i = 0; i < 3; i++) {
        await sh(mount, `setfacl -m u:${USER.uid}:r a`);
        assert.ok(await reads());
        assert.is(modeOf(join(mount.mnt, 'b')), 0o640);
        await sh(mount, i === 0 ? 'chmod 600 a' : 'setfacl -b a && chmod 600 a');
        assert.not.ok(await reads());
      }
    }));

  test('a list that the kernel could not read back is refused', () =>
    withMount((mount) => {
      const users = Array.from({ length: 508 }, (_, i) => `u:${i}:r--`);
      const set = (count: number): void =>
        setxattr(
          mount.mnt,
          DEFAULT,
          aclOf('u::rwx', ...users.slice(0, count), 'g::r--', 'm::r--', 'o::---'),
        );
      set(507);
      assert.is(aclText(getxattr(mount.mnt, DEFAULT)).length, 511);
      fs.writeFileSync(join(mount.mnt, 'file'), 'x');
      assert.is(aclAt(mount, 'file').length, 511);
      fails('E2BIG', () => set(508));
    }));

  test('mode and list are one change: a crash leaves both or neither', () =>
    withMount(async (mount) => {
      const replay = new ReplayMount(mount);
      replay.begin();
      await sh(
        mount,
        'for i in $(seq 50); do touch f$i; setfacl -m u:7:rwx f$i; chmod 640 f$i; done',
      );
      await mount.kill('SIGKILL');
      await mount.mount();
      replay.check();
      await mount.unmount();
      assert.is((await feedfs(['fsck', mount.store])).code, 0);
      await mount.mount();
    }));

  test('a capability given to a file that is being written follows what was written before', () =>
    recorded(async (mount) => {
      const path = join(mount.mnt, 'program');
      const value = Buffer.from(`0100000200200000${'00'.repeat(12)}`, 'hex');
      const fd = fs.openSync(path, 'w', 0o755);
      fs.writeSync(fd, 'before');
      setxattr(path, CAPABILITY, value);
      fs.closeSync(fd);
      assert.ok(getxattr(path, CAPABILITY).equals(value));
      const lines = (await sh(mount, 'head -n 3 .lustre/feeds/replay/stream.ndjson'))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line).op);
      assert.equal(lines, ['create', 'write', 'setxattr']);
    }));
} else {
  test.skip('ACLs of several users (needs root)', () => {});
}

test.run();
