/** How a command is given a filter: as JSON, or by options that stand for its members. */
import * as fs from 'node:fs';
import { type Fid, formatFid, isControlFid } from '../base/fid.js';
import type { SettingValue } from '../consumer/settings.js';
import type { Arguments } from './arguments.js';
import { parseInteger } from './arguments.js';
import { CliError, usageError } from './cli-error.js';
import type { Context, OptionSpec } from './command.js';
import { ExitCode } from './exit-codes.js';
import { absolutePath } from './mounts.js';

const UID_MAX = 2 ** 32 - 2;

/** Options that build a filter. */
export const FILTER_PARTS: readonly OptionSpec[] = [
  {
    name: 'op',
    value: 'LIST',
    multiple: true,
    help: 'only these operations, separated by commas: create, write …, or changes, accesses',
  },
  { name: 'subtree', value: 'DIR', help: 'only in this directory and below it' },
  { name: 'name', value: 'PATTERN', multiple: true, help: 'only names like *.jpg' },
  { name: 'uid', value: 'UID', multiple: true, help: 'only changes by this user' },
  { name: 'gid', value: 'GID', multiple: true, help: 'only changes by this group' },
];

export const FILTER_NOTE =
  'A filter is one JSON object, {"ops": ["create", "unlink"], "subtree": "[0x200000401:0x2:0x0]", "uid": [0, 1000], "gid": 100, "name": "*.jpg", "not": {"name": "*.tmp"}}, of which every member may be missing. A record passes if it meets all that are there.';

/** The filter that the options ask for; undefined without any. Throws USAGE. */
export function filterFromParts(
  args: Arguments,
  mount: string,
  context: Context,
): SettingValue | undefined {
  const ops = args.values('op').flatMap((list) => list.split(',').map((op) => op.trim()));
  const subtree = args.value('subtree');
  const name = args.values('name');
  const uid = args.values('uid').map((id) => parseInteger(id, '--uid', 0, UID_MAX));
  const gid = args.values('gid').map((id) => parseInteger(id, '--gid', 0, UID_MAX));
  const filter = {
    ...(ops.length === 0 ? {} : { ops }),
    ...(subtree === undefined ? {} : { subtree: formatFid(directoryFid(subtree, mount, context)) }),
    ...(name.length === 0 ? {} : { name }),
    ...(uid.length === 0 ? {} : { uid }),
    ...(gid.length === 0 ? {} : { gid }),
  };
  return Object.keys(filter).length === 0 ? undefined : filter;
}

/** The FID of a directory of that mount. */
function directoryFid(named: string, mount: string, { cwd }: Context): Fid {
  const directory = absolutePath(named, cwd);
  const found = fs.statSync(directory, { throwIfNoEntry: false });
  if (found === undefined) throw new CliError(ExitCode.FAILURE, `there is no ${named}`);
  const fid = found.ino as Fid;
  if (found.dev !== fs.statSync(mount).dev || isControlFid(fid)) {
    throw usageError(`--subtree ${named} is not a directory whose changes ${mount} records`);
  }
  if (!found.isDirectory()) throw usageError(`--subtree ${named} is not a directory`);
  return fid;
}

const STDIN = 0;

/** The text itself, of a file by `@FILE`, or of standard input by `-`. Throws USAGE if that cannot be read. */
export function settingText(argument: string, { cwd }: Context): string {
  if (argument === '-') return readText(STDIN, 'standard input');
  if (!argument.startsWith('@')) return argument;
  const file = argument.slice(1);
  return readText(absolutePath(file, cwd), file);
}

function readText(file: string | number, named: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    // Without the system call and the path, which are told already.
    const [why = error.message] = error.message.split(', ');
    throw usageError(`cannot read ${named}: ${why}`);
  }
}
