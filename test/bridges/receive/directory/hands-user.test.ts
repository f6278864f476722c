/** Hands of an ordinary user: read-only directories, and an exact account of what cannot be done. */
import * as fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeHome, runAsUser, userCanReadCheckout } from '../../../mount/ordinary-user.js';
import { lgetxattr } from '../../../support/libc.js';
import { withFolder } from '../../../support/mount.js';
import { runOk } from '../../../support/processes.js';
import { isRoot } from './hands-fixture.js';

const CHILD = fileURLToPath(new URL('./hands-user-child.js', import.meta.url));
const possible = isRoot && (await userCanReadCheckout());
const EPERM = 1;
const EOPNOTSUPP = 95;

interface Scene {
  readonly target: string;
  readonly state: string;
  /** The shortfalls that the scenario has. */
  play(scenario: string): Promise<unknown>;
  /** How it ended. */
  playToDeath(scenario: string): Promise<NodeJS.Signals | null>;
  modeOf(path: string): number;
}

function scene(name: string, use: (scene: Scene) => Promise<void>): void {
  if (!possible) return;
  test(name, () =>
    withFolder(async (folder) => {
      fs.chmodSync(folder, 0o755);
      const home = makeHome(folder);
      const [target, state] = [`${home}/target`, `${home}/state`];
      const play = async (scenario: string) => {
        for (const each of [target, state]) {
          if (fs.existsSync(each)) continue;
          fs.mkdirSync(each);
          const { uid, gid } = fs.statSync(home);
          fs.chownSync(each, uid, gid);
        }
        return runAsUser(process.execPath, [CHILD, scenario, target, state], home);
      };
      await use({
        target,
        state,
        play: async (scenario) => {
          const { code, stdout, stderr } = await play(scenario);
          assert.is(code, 0, stderr);
          return JSON.parse(`${stdout}`);
        },
        playToDeath: async (scenario) => (await play(scenario)).signal,
        modeOf: (path) => fs.lstatSync(`${target}/${path}`).mode & 0o7777,
      });
    }),
  );
}

scene('what its owner may not write is made writable for the moment', async (scene) => {
  const { target, state, modeOf } = scene;
  assert.equal(await scene.play('read-only'), []);
  const modes = ['d', 'd/closed', 'd/moved', 'd/moved/f', 'd/closed/linked', 'secret'].map(modeOf);
  assert.equal(modes, [0o555, 0, 0o555, 0o444, 0o444, 0]);
  assert.is(fs.readFileSync(`${target}/d/moved/f`, 'utf8'), 'new');
  assert.is(fs.readFileSync(`${target}/secret`, 'utf8'), 'new');
  assert.is(`${lgetxattr(Buffer.from(`${target}/d/moved/f`), Buffer.from('user.x'))}`, 'X');
  assert.is(fs.statSync(`${target}/d`, { bigint: true }).mtimeNs, 5_000_000_006n);
  assert.equal(fs.readdirSync(`${target}/d/moved`), ['f']);
  assert.equal(fs.readdirSync(state), []);
});

scene('a mode that is set meanwhile stays', async ({ play, modeOf }) => {
  assert.equal(await play('settled'), []);
  assert.equal([modeOf('d'), modeOf('e')], [0o300, 0o750]);
});

scene('threads leave what they may not write to one after the other', async (scene) => {
  assert.equal(await scene.play('threads'), []);
  assert.equal(
    [scene.modeOf('d'), scene.modeOf('d/f0'), scene.modeOf('e/f1')],
    [0o555, 0o444, 0o444],
  );
  assert.is(fs.readdirSync(`${scene.target}/d`).length, 300);
  assert.is(fs.readFileSync(`${scene.target}/d/f598`, 'utf8'), '598');
});

scene('what cannot be done is told exactly', async ({ play, target, modeOf }) => {
  const owner = { what: 'owner', detail: 'uid 12345, gid 54321', errno: EPERM };
  const got = (await play('shortfalls')) as { path: string; what: string; errno: number }[];
  assert.equal(got, [
    { ...owner, path: 'f' },
    { ...owner, path: 'set-id' },
    { what: 'mode', path: 'set-id', detail: 'set-user-id, set-group-id', errno: EPERM },
    { ...owner, path: 'd', detail: 'uid 12345' },
    { ...owner, path: 's' },
    { what: 'special', path: 'device', detail: 'character device 1:3', errno: EPERM },
    {
      what: 'xattr',
      path: 'trusted',
      detail: 'trusted.t',
      errno: got.find(({ what }) => what === 'xattr')?.errno === EOPNOTSUPP ? EOPNOTSUPP : EPERM,
    },
    { what: 'mode', path: 'f', detail: 'set-user-id', errno: EPERM },
  ]);
  assert.equal(['f', 'set-id', 'd', 'pipe'].map(modeOf), [0o755, 0o755, 0o2755, 0o640]);
  assert.not(fs.existsSync(`${target}/device`));
  assert.is(`${lgetxattr(Buffer.from(`${target}/trusted`), Buffer.from('user.u'))}`, 'U');
});

scene('what was made writable is put right after a kill', async (scene) => {
  assert.is(await scene.playToDeath('killed'), 'SIGKILL');
  assert.is.not(scene.modeOf('d'), 0);
  assert.equal(await scene.play('nothing'), []);
  assert.is(scene.modeOf('d'), 0);
  assert.equal(fs.readdirSync(scene.state), []);
});

scene('a mode that is set for good is not taken back by the next run', async (scene) => {
  assert.equal(await scene.play('settled-file'), []);
  assert.equal(fs.readdirSync(scene.state), []);
  assert.equal(await scene.play('nothing'), []);
  assert.is(scene.modeOf('f'), 0o644);
});

scene('what was moved meanwhile is found after a kill', async (scene) => {
  const { state, target } = scene;
  assert.is(await scene.playToDeath('killed-moved'), 'SIGKILL');
  const places = [`${target}/b/d`, `${target}/b/d/e`, `${state}/limbo/waits`];
  const modes = (): number[] => places.map((path) => fs.statSync(path).mode & 0o777);
  assert.equal(modes(), [0o755, 0o755, 0o755]);
  assert.equal(await scene.play('nothing'), []);
  assert.equal(modes(), [0o555, 0o555, 0o555]);
  assert.equal(fs.readdirSync(state), ['limbo']);
});

scene('what is not found after a kill is told, unless it was removed', async (scene) => {
  assert.is(await scene.playToDeath('killed-removed'), 'SIGKILL');
  assert.equal(await scene.play('nothing'), []);
  assert.is(await scene.playToDeath('killed-moved'), 'SIGKILL');
  fs.renameSync(`${scene.target}/b/d/e`, `${scene.target}/strayed`);
  assert.equal(await scene.play('nothing'), [
    { what: 'mode', path: 'b/d/e', detail: '0555', errno: 2 },
  ]);
  // Once.
  assert.equal(await scene.play('nothing'), []);
});

scene('no more is made writable at a time than there may be', async (scene) => {
  assert.equal(await scene.play('deep'), []);
  assert.equal([scene.modeOf('d'), scene.modeOf('d/d'), scene.modeOf('d/d/d')], [0, 0, 0]);
  assert.equal(fs.readdirSync(scene.state), []);
});

if (isRoot) {
  test('set-id bits that come later are not those of whoever receives', () =>
    withFolder(async (folder) => {
      const [target, state] = [`${folder}/target`, `${folder}/state`];
      for (const each of [target, state]) fs.mkdirSync(each);
      const modeOf = (name: string): number => fs.statSync(`${target}/${name}`).mode & 0o7777;
      const play = async (scenario: string, ...without: string[]): Promise<unknown> => {
        const args = [...without, process.execPath, CHILD, scenario, target, state];
        return JSON.parse(await runOk('env', args));
      };
      const missing = { what: 'mode', path: 'f', detail: 'set-user-id', errno: EPERM };
      assert.equal(await play('set-id', 'setpriv', '--bounding-set', '-chown'), [
        { what: 'owner', path: 'f', detail: 'uid 1000', errno: EPERM },
        missing,
      ]);
      assert.equal([modeOf('f'), modeOf('known')], [0o755, 0o4755]);
      assert.equal(await play('set-id-later', 'setpriv', '--bounding-set', '-chown'), [missing]);
      assert.equal([modeOf('f'), modeOf('known')], [0o755, 0o4711]);
      // Where every owner can be set they are the source's, and so are the bits.
      for (const each of [state, target]) {
        fs.rmSync(each, { recursive: true });
        fs.mkdirSync(each);
      }
      fs.writeFileSync(`${target}/f`, '', { mode: 0o755 });
      fs.writeFileSync(`${target}/known`, '', { mode: 0o755 });
      assert.equal(await play('set-id-later'), []);
      assert.equal([modeOf('f'), modeOf('known')], [0o4755, 0o4711]);
    }));
}

test.run();
