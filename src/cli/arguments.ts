/** The command line of one subcommand: parsed against its declaration, all errors as CliError USAGE. */
import { parseArgs } from 'node:util';
import { must } from '../base/assert.js';
import { usageError } from './cli-error.js';
import type { Command, OptionSpec } from './command.js';

export const HELP_OPTION: OptionSpec = { name: 'help', short: 'h', help: 'show this help' };

export class Arguments {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #positionals: ReadonlyMap<string, string>;

  constructor(values: Readonly<Record<string, unknown>>, positionals: ReadonlyMap<string, string>) {
    this.#values = values;
    this.#positionals = positionals;
  }

  /** A switch: given or not. */
  has(option: string): boolean {
    return this.#values[option] === true;
  }

  /** The value of an option, if it was given. */
  value(option: string): string | undefined {
    const value = this.#values[option];
    return typeof value === 'string' ? value : undefined;
  }

  /** Every value of an option that may be repeated. */
  values(option: string): readonly string[] {
    const values = this.#values[option];
    return Array.isArray(values) ? values.filter((value) => typeof value === 'string') : [];
  }

  /** A positional that the declaration requires. */
  required(name: string): string {
    return must(this.#positionals.get(name), `positional ${name}`);
  }

  optional(name: string): string | undefined {
    return this.#positionals.get(name);
  }

  /** The value of an option as a count; throws USAGE unless it is a whole number in range. */
  integer(option: string, minimum: number, maximum = Number.MAX_SAFE_INTEGER): number | undefined {
    const text = this.value(option);
    return text === undefined ? undefined : parseInteger(text, `--${option}`, minimum, maximum);
  }
}

/** Throws USAGE, naming `what`, unless `text` is a decimal number between the two. */
export function parseInteger(text: string, what: string, minimum: number, maximum: number): number {
  const number = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number) || number < minimum || number > maximum) {
    const range =
      maximum === Number.MAX_SAFE_INTEGER ? `${minimum} or more` : `${minimum} to ${maximum}`;
    throw usageError(`${what} takes a whole number, ${range}, not "${text}"`);
  }
  return number;
}

interface ParseOption {
  type: 'string' | 'boolean';
  multiple: boolean;
  short?: string;
}

/** Undefined when help was asked for; throws CliError USAGE for anything that the command does not take. */
export function parseArguments(command: Command, argv: readonly string[]): Arguments | undefined {
  const options: Record<string, ParseOption> = {};
  for (const { name, short, value, multiple } of [...command.options, HELP_OPTION]) {
    options[name] = {
      type: value === undefined ? 'boolean' : 'string',
      multiple: multiple === true,
      ...(short === undefined ? {} : { short }),
    };
  }
  let values: Record<string, unknown>;
  let positionals: string[];
  try {
    ({ values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true }));
  } catch (error) {
    throw usageError(firstSentence(error));
  }
  if (values.help === true) return undefined;
  return new Arguments(values, bindPositionals(command, positionals));
}

/** Node's own messages go on with advice about `--` that does not fit here. */
function firstSentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const end = message.indexOf('. ');
  return end < 0 ? message : message.slice(0, end);
}

function bindPositionals(command: Command, given: readonly string[]): Map<string, string> {
  const bound = new Map<string, string>();
  for (const [i, { name, optional }] of command.positionals.entries()) {
    const value = given[i];
    if (value !== undefined) bound.set(name, value);
    else if (!optional) throw usageError(`${name} is missing`);
  }
  const extra = given[command.positionals.length];
  if (extra !== undefined) throw usageError(`unexpected argument "${extra}"`);
  return bound;
}
