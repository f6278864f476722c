// test-timeout: 300 s
/** npm installs this project on a mounted feedfs, and what it has installed builds and runs there. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withProgram } from '../programs/program-mount.js';
import { projectRoot } from '../support/project-root.js';

/**
 * As setup installs them; so what setup has fetched is in npm's cache, and the
 * registry is asked only for what is not. Which one is npm's own configuration.
 */
const INSTALL = [
  ...['ci', '--ignore-scripts', '--include=dev', '--include=optional'],
  ...['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'],
];

/** npm itself, also where it is not on the PATH but runs this test. */
function npm(): [string, string[]] {
  const path = process.env.npm_execpath;
  return path?.endsWith('.js') ? [process.execPath, [path]] : ['npm', []];
}

function packages(folder: string): string[] {
  const path = join(folder, 'node_modules', '.package-lock.json');
  const lock = JSON.parse(fs.readFileSync(path, 'utf8')) as { packages: object };
  return Object.keys(lock.packages).sort();
}

test('npm ci of this project; the compiler that it installs builds the project on the mount', () =>
  withProgram(async (program) => {
    const root = projectRoot();
    const cwd = join(program.mnt, 'project');
    fs.mkdirSync(cwd);
    for (const name of ['package.json', 'package-lock.json', 'tsconfig.json', 'src']) {
      fs.cpSync(join(root, name), join(cwd, name), { recursive: true });
    }
    const [command, first] = npm();
    await program.sh(command, [...first, ...INSTALL], { cwd });
    assert.equal(packages(cwd), packages(root));
    // Once more: npm removes the whole tree and installs it again.
    await program.mount.remount();
    await program.sh(command, [...first, ...INSTALL], { cwd });
    assert.equal(packages(cwd), packages(root));

    const compiler = join('node_modules', 'typescript', 'bin', 'tsc');
    await program.sh(process.execPath, [compiler, '-p', '.', '--incremental', 'false'], { cwd });
    assert.ok(fs.existsSync(join(cwd, 'dist', 'src', 'cli', 'main.js')));
    // Native addons: mapped from the mount, and executed.
    const load = "await import('lmdb'); await import('koffi'); console.log('loaded')";
    const args = ['--input-type=module', '--eval', load];
    assert.is(await program.sh(process.execPath, args, { cwd }), 'loaded\n');
  }));

test.run();
