/** The `feedfs` command: finds the subcommand, runs it, turns what it ends with into an exit code. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArguments } from './arguments.js';
import { usageError } from './cli-error.js';
import type { Command, Context } from './command.js';
import { COMMAND_NAMES, loadCommand, loadCommands } from './commands.js';
import { ExitCode } from './exit-codes.js';
import { failureOf } from './failures.js';
import { commandHelp, programHelp } from './help.js';
import { BrokenPipe, Output } from './output.js';

/** The names of the commands of the group `word`: `feed ls`, `feed rm`, … */
function groupOf(word: string): readonly string[] {
  return COMMAND_NAMES.filter((name) => name.startsWith(`${word} `));
}

/** The command that `argv` begins with, and the rest. */
async function findCommand(
  argv: readonly string[],
): Promise<readonly [Command, readonly string[]]> {
  const [first = '', second = ''] = argv;
  const group = groupOf(first);
  if (group.length > 0) {
    const name = `${first} ${second}`;
    if (group.includes(name)) return [await loadCommand(name), argv.slice(2)];
    if (COMMAND_NAMES.includes(first)) return [await loadCommand(first), argv.slice(1)];
    const words = group.map((member) => member.slice(first.length + 1)).join(', ');
    throw usageError(`${first} needs one of: ${words}; see feedfs ${first} --help`);
  }
  if (COMMAND_NAMES.includes(first)) return [await loadCommand(first), argv.slice(1)];
  throw usageError(`no command "${first}"; see feedfs --help`);
}

const HELP = new Set(['help', '--help', '-h']);
const VERSION = new Set(['--version', '-V']);

/** The help of a group (`feedfs feed --help`): that of its commands. */
async function groupHelp(argv: readonly string[]): Promise<string | undefined> {
  const [first = '', second = ''] = argv;
  const group = groupOf(first);
  if (group.length === 0 || !HELP.has(second)) return undefined;
  const own = COMMAND_NAMES.filter((name) => name === first);
  return (await loadCommands([...own, ...group])).map(commandHelp).join('\n\n');
}

async function dispatch(argv: readonly string[], context: Context): Promise<ExitCode> {
  const { output } = context;
  const [first] = argv;
  if (first === undefined) {
    output.message(`a command is needed\n\n${programHelp(await loadCommands())}`);
    return ExitCode.USAGE;
  }
  const help = HELP.has(first) ? programHelp(await loadCommands()) : await groupHelp(argv);
  if (help !== undefined) {
    await output.line(help);
    return ExitCode.OK;
  }
  if (VERSION.has(first)) {
    await output.line(`feedfs ${version()}`);
    return ExitCode.OK;
  }
  const [command, rest] = await findCommand(argv);
  const args = parseArguments(command, rest);
  if (args !== undefined) return command.run(args, context);
  await output.line(commandHelp(command));
  return ExitCode.OK;
}

/** From package.json, two directories above dist/ or beside it. */
function version(): string {
  let directory = path.dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const file = path.join(directory, 'package.json');
    if (fs.existsSync(file)) {
      const { name, version } = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, string>;
      if (name === 'feedfs' && version !== undefined) return version;
    }
    const parent = path.dirname(directory);
    if (parent === directory) return 'unknown';
    directory = parent;
  }
}

/** The root if the current directory was removed, or its filesystem is no longer served. */
function currentDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}

function colorWanted(): boolean {
  const { NO_COLOR: off, TERM: term } = process.env;
  return process.stdout.isTTY === true && (off === undefined || off === '') && term !== 'dumb';
}

async function main(argv: readonly string[]): Promise<ExitCode> {
  const output = new Output({
    stdout: process.stdout,
    stderr: process.stderr,
    color: colorWanted(),
  });
  const context: Context = {
    output,
    env: process.env,
    cwd: currentDirectory(),
    now: () => BigInt(Date.now()) * 1_000_000n,
  };
  try {
    return await dispatch(argv, context);
  } catch (error) {
    // The reader of our output had enough: nothing to complain about.
    if (error instanceof BrokenPipe || output.closed.aborted) return ExitCode.OK;
    const { exitCode, message } = failureOf(error);
    output.message(message);
    return exitCode;
  }
}

process.exitCode = await main(process.argv.slice(2));
