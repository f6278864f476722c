// test-timeout: 120 s
/** Two processes move directories into one another's subtrees: no loop, and nothing is lost. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { feedfs, withMount } from '../support/mount.js';
import { runOk } from '../support/processes.js';
import { ReplayMount } from './replay-mount.js';

const WORKER = fileURLToPath(new URL('rename-worker.js', import.meta.url));
const DIRECTORIES = 24;
const STEPS = 1_500;
const SEEDS = [[1, 2] as const, [3, 4] as const];

interface Found {
  /** Number of the directory, by the file that was put into it. */
  readonly files: readonly string[];
  readonly links: number;
  readonly inner: number;
}

/** Every directory that can be reached, by inode number. */
function walk(path: string, found = new Map<number, Found>()): Map<number, Found> {
  const { ino, nlink } = fs.statSync(path);
  assert.not.ok(found.has(ino), `${path} was reached twice`);
  const entries = fs.readdirSync(path, { withFileTypes: true });
  const inner = entries.filter((one) => one.isDirectory());
  const files = entries.filter((one) => one.isFile()).map(({ name }) => name);
  found.set(ino, { files, links: nlink, inner: inner.length });
  for (const { name } of inner) {
    walk(join(path, name), found);
    assert.is(fs.statSync(`${join(path, name)}/..`).ino, ino);
  }
  return found;
}

for (const seeds of SEEDS) {
  test(`two processes rename directories, seeds ${seeds.join(' and ')}`, () =>
    withMount(async (mount) => {
      const replay = new ReplayMount(mount);
      replay.begin();
      const root = join(mount.mnt, 'tree');
      fs.mkdirSync(root);
      const owners = new Map<number, string>();
      for (let i = 0; i < DIRECTORIES; i++) {
        const path = join(root, `d-${i}`);
        fs.mkdirSync(path);
        fs.writeFileSync(join(path, `file-${i}`), `${i}`);
        owners.set(fs.statSync(path).ino, `file-${i}`);
      }
      const outputs = await Promise.all(
        seeds.map((seed) =>
          runOk(process.execPath, [WORKER, root, `${seed}`, `${STEPS}`], { timeoutMs: 100_000 }),
        ),
      );
      for (const output of outputs) {
        const { ok = 0 } = JSON.parse(output) as { ok?: number };
        assert.ok(ok > STEPS / 20, output);
      }
      for (const remounted of [false, true]) {
        if (remounted) await mount.remount();
        const found = walk(root);
        assert.is(found.size, DIRECTORIES + 1);
        for (const [ino, { files, links, inner }] of found) {
          assert.is(links, 2 + inner);
          const owner = owners.get(ino);
          assert.equal(files, owner === undefined ? [] : [owner]);
        }
      }
      replay.check({});
      await mount.unmount();
      const report = await feedfs(['fsck', mount.store]);
      assert.is(report.code, ExitCode.OK, report.stdout.toString());
    }));
}

test.run();
