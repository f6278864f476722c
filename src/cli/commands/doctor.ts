import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkAllowOther, checkDevice } from '../../fuse/mount-check.js';
import { MountError } from '../../fuse/mount-error.js';
import { isRoot } from '../../fuse/mount-helper.js';
import type { Arguments } from '../arguments.js';
import type { Command, Context } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { JSON_OPTION } from '../feed-argument.js';
import { checkHelper, findExecutable } from '../fuse-available.js';

export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'Say what this machine lacks for feedfs, and the command that mends it.',
  positionals: [],
  options: [JSON_OPTION],
  notes: ['Exits with 1 if something that is needed is missing.'],
  run,
};

/** `needed`: feedfs does not work without it. `note`: only a limitation. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'needed' | 'note';
  readonly detail: string;
  readonly fix?: string;
}

const NODE_NEEDED: readonly [number, number] = [20, 19];

async function run(args: Arguments, { output, env }: Context): Promise<ExitCode> {
  const checks = await examine(env.PATH);
  if (args.has('json')) await output.json(checks);
  else for (const line of report(checks)) await output.line(line);
  return checks.some(({ status }) => status === 'needed') ? ExitCode.FAILURE : ExitCode.OK;
}

async function examine(searchPath: string | undefined): Promise<Check[]> {
  return [
    nodeCheck(process.versions.node),
    check('/dev/fuse', 'needed', 'can be opened', checkDevice),
    check('fusermount3', 'needed', helperDetail(searchPath), () => checkHelper(searchPath)),
    check('allow_other', 'note', 'other users can be let in', () => {
      if (!isRoot()) checkAllowOther();
    }),
    await packageCheck('koffi', () => import('koffi')),
    await packageCheck('lmdb', () => import('lmdb')),
    buildCheck(),
    processorCheck(os.availableParallelism()),
  ];
}

export function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor, wantedMinor] = NODE_NEEDED;
  const enough = major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  if (enough) return { name: 'node', status: 'ok', detail: version };
  return {
    name: 'node',
    status: 'needed',
    detail: `${version} is too old; ${NODE_NEEDED.join('.')} or newer is needed`,
    fix: 'install Node.js 20.19 or newer (https://nodejs.org)',
  };
}

/** What each of these problems is mended by. */
const FIXES: Readonly<Record<string, string>> = {
  'no-device': 'sudo modprobe fuse',
  'device-permission': 'sudo chmod 0666 /dev/fuse',
  'no-fusermount': 'sudo apt-get install fuse3',
  'not-permitted': 'echo user_allow_other | sudo tee -a /etc/fuse.conf',
};

/** Runs a check of the fuse folder; its MountError says what is wrong. */
function check(name: string, severity: 'needed' | 'note', detail: string, work: () => void): Check {
  try {
    work();
    return { name, status: 'ok', detail };
  } catch (error) {
    if (!(error instanceof MountError)) throw error;
    const fix = FIXES[error.code];
    const [what = error.message] = error.message.split(': ');
    return { name, status: severity, detail: what, ...(fix === undefined ? {} : { fix }) };
  }
}

function helperDetail(searchPath: string | undefined): string {
  return findExecutable('fusermount3', searchPath) ?? 'not needed by root';
}

async function packageCheck(name: string, load: () => Promise<unknown>): Promise<Check> {
  try {
    await load();
    return { name, status: 'ok', detail: 'loads' };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return { name, status: 'needed', detail: `does not load: ${reason}`, fix: 'npm ci' };
  }
}

/** In a checkout the program runs from dist/; is that older than the sources? */
function buildCheck(): Check {
  const built = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../..');
  const sources = path.join(built, '..', 'src');
  if (path.basename(built) !== 'dist' || !fs.existsSync(sources)) {
    return { name: 'build', status: 'ok', detail: 'installed package' };
  }
  const stale = newestFile(sources, '.ts') > newestFile(path.join(built, 'src'), '.js');
  if (!stale) return { name: 'build', status: 'ok', detail: 'up to date' };
  return { name: 'build', status: 'note', detail: 'older than the sources', fix: 'npm run build' };
}

/** Latest modification of a file with this ending below a directory, in ms since the epoch. */
function newestFile(directory: string, ending: string): number {
  const entries = fs.readdirSync(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith(ending));
  return Math.max(0, ...files.map((f) => fs.statSync(path.join(f.parentPath, f.name)).mtimeMs));
}

function processorCheck(cores: number): Check {
  if (cores > 1) return { name: 'processors', status: 'ok', detail: `${cores}` };
  const detail = 'only one, so busy-polling is off and a request costs a wake-up';
  return { name: 'processors', status: 'note', detail };
}

/** One line per check, and below it the command that mends it. */
export function report(checks: readonly Check[]): string[] {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const marks = { ok: 'ok  ', needed: 'MISS', note: 'note' } as const;
  const lines: string[] = [];
  for (const { name, status, detail, fix } of checks) {
    lines.push(`${marks[status]}  ${name.padEnd(width)}  ${detail}`);
    if (fix !== undefined) lines.push(`${' '.repeat(width + 8)}-> ${fix}`);
  }
  return lines;
}
