/** What a subcommand is: its command line, declared once for parsing and for help. */
import type { Arguments } from './arguments.js';
import type { ExitCode } from './exit-codes.js';
import type { Output } from './output.js';

export interface OptionSpec {
  /** Long name without dashes. */
  readonly name: string;
  readonly short?: string;
  /** What its value is called in the help; without one it is a switch. */
  readonly value?: string;
  /** May be given more than once. */
  readonly multiple?: boolean;
  readonly help: string;
}

export interface PositionalSpec {
  readonly name: string;
  readonly optional?: boolean;
  readonly help: string;
}

/** What a command gets from the outside; nothing else of the process is touched. */
export interface Context {
  readonly output: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Nanoseconds since the epoch. */
  now(): bigint;
}

export interface Command {
  /** `mount`, or `feed ls`. */
  readonly name: string;
  readonly summary: string;
  readonly positionals: readonly PositionalSpec[];
  readonly options: readonly OptionSpec[];
  /** Paragraphs after the option list. */
  readonly notes?: readonly string[];
  run(args: Arguments, context: Context): Promise<ExitCode>;
}
