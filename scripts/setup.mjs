/**
 * Makes a fresh checkout runnable: packages, Debian's tools, the build.
 *
 *     node scripts/setup.mjs demo|test|bench|build
 *
 * The one program here that is not TypeScript: it runs before anything is
 * installed or built, so it may use nothing but Node itself. Each step first
 * looks whether it is needed; a second run costs what an incremental build costs.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NODE_MIN = [20, 19];
/** How much of a failed program's output is shown. */
const OUTPUT_LINES_MAX = 40;

/** Programs that Node cannot bring along, the Debian packages of each, and who needs it. */
const TOOLS = [
  { command: 'mount', pkg: 'mount', purposes: ['demo', 'test', 'bench', 'fuzz'] },
  { command: 'fusermount3', pkg: 'fuse3', purposes: ['demo', 'test', 'bench', 'fuzz'] },
  { command: 'fallocate', pkg: 'util-linux', purposes: ['test'] },
  { command: 'find', pkg: 'findutils', purposes: ['bench'] },
  { command: 'getfattr', pkg: 'attr', purposes: ['test'] },
  { command: 'setfacl', pkg: 'acl', purposes: ['test'] },
  { command: 'inotifywait', pkg: 'inotify-tools', purposes: ['test'] },
  { command: 'fio', pkg: 'fio', purposes: ['test'] },
  { command: 'gcc', pkg: 'gcc libc6-dev', purposes: ['test'] },
  { command: 'git', pkg: 'git', purposes: ['test'] },
  { command: 'make', pkg: 'make', purposes: ['test'] },
  { command: 'openssl', pkg: 'openssl', purposes: ['test'] },
  { command: 'rsync', pkg: 'rsync', purposes: ['test'] },
  { command: 'sqlite3', pkg: 'sqlite3', purposes: ['test'] },
  { command: 'stress-ng', pkg: 'stress-ng', purposes: ['test'] },
  { command: 'unzip', pkg: 'unzip', purposes: ['test'] },
  { command: 'vim.tiny', pkg: 'vim-tiny', purposes: ['test'] },
  { command: 'zip', pkg: 'zip', purposes: ['test'] },
];

/** Libraries that programs load by themselves, likewise. The packages that need them are for x64 alone. */
const LIBRARIES = [{ library: 'libfuse.so.2', pkg: 'libfuse2', purposes: ['test'], arch: 'x64' }];

class SetupError extends Error {}

/** Runs a program and shows its output only if it fails; throws SetupError then. */
function run(what, command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8', ...options });
  if (result.status === 0) return;
  // The cause comes first in what npm, apt and tsc print; a page of advice may follow.
  const lines = `${result.stdout ?? ''}${result.stderr ?? ''}`.trim().split('\n');
  const output = lines.slice(0, OUTPUT_LINES_MAX).join('\n');
  const reason = result.error?.message ?? `exit code ${result.status ?? result.signal}`;
  throw new SetupError(`${what} failed (${reason}).${output === '' ? '' : `\n${output}`}`);
}

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [needMajor, needMinor] = NODE_MIN;
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return;
  throw new SetupError(
    `Node ${NODE_MIN.join('.')} or newer is needed, this is ${process.versions.node}.`,
  );
}

/** A package.json `os`, `cpu` or `libc` field, which may be absent, a string or a list. */
function allows(field, value) {
  const list = field === undefined ? [] : [field].flat();
  if (list.includes(`!${value}`)) return false;
  const wanted = list.filter((item) => !item.startsWith('!'));
  return wanted.length === 0 || wanted.includes(value);
}

function fitsThisMachine(entry) {
  const libc = process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
  return (
    allows(entry.os, process.platform) &&
    allows(entry.cpu, process.arch) &&
    allows(entry.libc, libc)
  );
}

/** The first package of the lock file under `folder` that is not installed as locked, if any. */
function firstMissingPackage(folder) {
  const locked = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')).packages;
  const record = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return 'node_modules';
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  return Object.keys(locked).find((path) => {
    if (path === '') return false;
    const present = installed[path] && existsSync(join(folder, path, 'package.json'));
    if (present) return installed[path].version !== locked[path].version;
    return fitsThisMachine(locked[path]);
  });
}

/**
 * Installs what a lock file names. No package of ours needs its install script
 * (the native ones bring a binary per platform), and npm 11 warns of each one
 * that it does not run, so none is run with any npm.
 */
function installPackages(folder, what) {
  const missing = firstMissingPackage(folder);
  if (missing === undefined) return;
  say(`installing ${what} (${missing} is missing)`);
  const args = ['ci', '--ignore-scripts', '--include=dev', '--include=optional'];
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  // npm tells its scripts where it is; outside of npm the PATH has to do.
  const npm = process.env.npm_execpath;
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  run('npm ci', command, [...first, ...args, ...quiet], { cwd: folder });
}

function onPath(command) {
  // An ordinary user's PATH often lacks the folders of the system's tools.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/bin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Whether the dynamic linker finds a library. */
function linkable(library) {
  // An ordinary user's PATH lacks the folder of ldconfig.
  const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` };
  const listed = spawnSync('ldconfig', ['-p'], { encoding: 'utf8', env }).stdout;
  return listed?.includes(library) === true;
}

function missingLibraries(purpose) {
  return LIBRARIES.filter(
    ({ library, purposes, arch }) =>
      purposes.includes(purpose) && arch === process.arch && !linkable(library),
  ).map(({ library, pkg }) => ({ command: library, pkg }));
}

function installTools(purpose) {
  const tools = [
    ...TOOLS.filter((tool) => tool.purposes.includes(purpose) && !onPath(tool.command)),
    ...missingLibraries(purpose),
  ];
  if (tools.length === 0) return;
  const packages = tools.flatMap((tool) => tool.pkg.split(' '));
  const line = `apt-get install -y ${packages.join(' ')}`;
  const commands = tools.map((tool) => tool.command).join(', ');
  if (process.getuid() !== 0) {
    throw new SetupError(`Missing: ${commands}. Install with:\n\n    sudo ${line}\n`);
  }
  if (!onPath('apt-get')) {
    throw new SetupError(`Missing: ${commands} (Debian packages: ${packages.join(' ')}).`);
  }
  say(`installing ${packages.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '--no-install-recommends', ...packages];
  const first = spawnSync('apt-get', install, { env, stdio: 'ignore' });
  if (first.status === 0) return;
  // A fresh system has no package lists, an old one has stale ones.
  run('apt-get update', 'apt-get', ['update'], { env });
  run(line, 'apt-get', install, { env });
}

function checkDevice() {
  const device = '/dev/fuse';
  if (!existsSync(device) && process.getuid() === 0) spawnSync('modprobe', ['fuse']);
  if (!existsSync(device)) {
    throw new SetupError(
      `There is no ${device}: load the kernel module with 'sudo modprobe fuse', ` +
        `or start the container with --device ${device} --cap-add SYS_ADMIN.`,
    );
  }
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
  } catch {
    throw new SetupError(
      `You may not open ${device}. Distributions ship it readable and writable for all; ` +
        `here it needs:\n\n    sudo chmod 666 ${device}\n`,
    );
  }
}

function build() {
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  run('The build', process.execPath, [compiler, '-p', ROOT, '--pretty', 'false']);
}

/** Node 24 is for the tests alone, so it stays out of the project's own packages. */
function installNode24() {
  if (process.env.FEEDFS_NODE24 === 'skip') return;
  installPackages(join(ROOT, 'scripts', 'node24'), 'Node 24 for the tests');
}

/** The second driver is no dependency of the project; only its tests need it. */
function installFuseNative() {
  if (process.arch !== 'x64') return;
  installPackages(join(ROOT, 'scripts', 'fuse-native'), 'fuse-native for the tests');
}

function main() {
  const purpose = process.argv[2] ?? 'build';
  checkNode();
  installPackages(ROOT, 'the packages');
  if (purpose !== 'build') {
    installTools(purpose);
    checkDevice();
  }
  if (purpose === 'test') {
    installNode24();
    installFuseNative();
  }
  build();
}

try {
  main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  // Whoever reads the last line of a test run finds a result there in any case.
  if (process.argv[2] === 'test') process.stdout.write('0 passed, 1 failed\n');
  process.exitCode = 1;
}
