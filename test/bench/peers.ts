/** What the bench compares with: Debian packages, our own C sources, bindings from npm. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { peersDir } from './project.js';
import { has, messageOf, run } from './shell.js';

export interface Peers {
  /** The compiled client, or undefined where there is no C compiler. */
  readonly client: string | undefined;
  /** The compiled one-file server on libfuse 3. */
  readonly oneFileC: string | undefined;
  /** Folders of a node_modules that hold the binding. */
  readonly fuseNative: string | undefined;
  readonly fuseNapi: string | undefined;
  readonly bindfs: boolean;
  readonly loggedfs: boolean;
  /** What is missing and why, for the reader of the results. */
  readonly missing: readonly string[];
}

const PACKAGES = [
  { package: 'bindfs', present: () => has('bindfs') },
  { package: 'loggedfs', present: () => has('loggedfs') },
  { package: 'gcc', present: () => has('cc') },
  { package: 'libc6-dev', present: () => fs.existsSync('/usr/include/stdio.h') },
  { package: 'pkg-config', present: () => has('pkg-config') },
  { package: 'libfuse3-dev', present: () => fs.existsSync('/usr/include/fuse3/fuse.h') },
  { package: 'rsync', present: () => has('rsync') },
  { package: 'lsyncd', present: () => has('lsyncd') },
  { package: 'e2fsprogs', present: () => has('mkfs.ext4') },
] as const;

const FUSE_NATIVE = 'fuse-native@2.2.6';
const FUSE_NAPI = 'fuse-napi@2.3.1';

async function installPackages(missing: string[]): Promise<void> {
  const wanted = PACKAGES.filter((p) => !p.present()).map((p) => p.package);
  if (wanted.length === 0) return;
  const command = `apt-get install -y ${wanted.join(' ')}`;
  if (process.getuid?.() !== 0 || !has('apt-get')) {
    missing.push(`not installed: ${wanted.join(', ')} (as root: ${command})`);
    return;
  }
  const install = () => run('apt-get', ['install', '-y', '--no-install-recommends', ...wanted]);
  try {
    await install().catch(async () => {
      await run('apt-get', ['update']);
      await install();
    });
  } catch (error) {
    missing.push(`could not be installed: ${wanted.join(', ')} (${messageOf(error)})`);
  }
}

async function compileClient(dir: string, missing: string[]): Promise<string | undefined> {
  if (!has('cc')) {
    missing.push('no C compiler: the client is Node, slower and with more noise');
    return undefined;
  }
  const sources = fs.readdirSync(path.join(peersDir, 'client')).filter((f) => f.endsWith('.c'));
  const output = path.join(dir, 'client');
  const files = sources.map((f) => path.join(peersDir, 'client', f));
  await run('cc', ['-O2', '-o', output, ...files, '-pthread']);
  return output;
}

async function compileOneFile(dir: string, missing: string[]): Promise<string | undefined> {
  try {
    const flags = (await run('pkg-config', ['--cflags', '--libs', 'fuse3'])).trim().split(/\s+/);
    const output = path.join(dir, 'one-file');
    await run('cc', ['-O2', '-o', output, path.join(peersDir, 'one-file.c'), ...flags]);
    return output;
  } catch (error) {
    missing.push(`no C server on libfuse 3: ${messageOf(error)}`);
    return undefined;
  }
}

/** Optional comparisons: they live outside the project, so that it does not depend on them. */
async function installBinding(
  dir: string,
  spec: string,
  missing: string[],
): Promise<string | undefined> {
  const name = spec.slice(0, spec.indexOf('@'));
  const home = path.join(dir, `npm-${name}`);
  fs.mkdirSync(home);
  fs.writeFileSync(path.join(home, 'package.json'), '{"private":true}\n');
  try {
    await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', spec], {
      cwd: home,
    });
    const module = path.join(home, 'node_modules', name);
    await run(process.execPath, ['-e', `require(${JSON.stringify(module)})`], { cwd: home });
    return module;
  } catch (error) {
    missing.push(`${spec} does not install or load here (${messageOf(error)})`);
    return undefined;
  }
}

/** Makes ready what can be; a peer that is missing costs its rows, not the run. */
export async function preparePeers(dir: string, withBindings: boolean): Promise<Peers> {
  const missing: string[] = [];
  await installPackages(missing);
  const client = await compileClient(dir, missing);
  const oneFileC = await compileOneFile(dir, missing);
  const fuseNative = withBindings ? await installBinding(dir, FUSE_NATIVE, missing) : undefined;
  const fuseNapi = withBindings ? await installBinding(dir, FUSE_NAPI, missing) : undefined;
  const bindfs = has('bindfs');
  const loggedfs = has('loggedfs');
  return { client, oneFileC, fuseNative, fuseNapi, bindfs, loggedfs, missing };
}
