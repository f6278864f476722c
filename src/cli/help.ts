/** Help texts, made from the declarations of the commands. */
import { HELP_OPTION } from './arguments.js';
import type { Command, OptionSpec } from './command.js';
import { EXIT_CODE_MEANING } from './exit-codes.js';
import { COLUMNS_MAX } from './limits.js';

const INDENT = '  ';

/** Breaks `text` at spaces so that no line is wider than `columns`. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** Two columns: terms, and what they mean, wrapped. */
export function definitionList(items: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...items.map(([term]) => term.length));
  const lines: string[] = [];
  for (const [term, meaning] of items) {
    const room = COLUMNS_MAX - INDENT.length * 2 - width;
    for (const [i, line] of wrap(meaning, room).entries()) {
      lines.push(`${INDENT}${(i === 0 ? term : '').padEnd(width)}${INDENT}${line}`.trimEnd());
    }
  }
  return lines;
}

function optionTerm({ name, short, value }: OptionSpec): string {
  const dash = short === undefined ? '    ' : `-${short}, `;
  return `${dash}--${name}${value === undefined ? '' : ` ${value}`}`;
}

/** `feedfs feed ack FEED [options]`. */
export function usageLine(command: Command): string {
  const operands = command.positionals.map(({ name, optional }) => (optional ? `[${name}]` : name));
  return ['feedfs', command.name, ...operands, '[OPTION...]'].join(' ');
}

export function commandHelp(command: Command): string {
  const lines = [`Usage: ${usageLine(command)}`, '', ...wrap(command.summary, COLUMNS_MAX), ''];
  if (command.positionals.length > 0) {
    lines.push(...definitionList(command.positionals.map(({ name, help }) => [name, help])), '');
  }
  const options = [...command.options, HELP_OPTION];
  lines.push('Options:');
  lines.push(...definitionList(options.map((option) => [optionTerm(option), option.help])));
  for (const note of command.notes ?? []) lines.push('', ...wrap(note, COLUMNS_MAX));
  return lines.join('\n');
}

export function programHelp(commands: readonly Command[]): string {
  const codes = Object.entries(EXIT_CODE_MEANING);
  return [
    'Usage: feedfs COMMAND [ARGUMENT...]',
    '',
    ...wrap(
      'A filesystem in which every change is a durable record, and every consumer follows the records in a file.',
      COLUMNS_MAX,
    ),
    '',
    'Commands:',
    ...definitionList(commands.map(({ name, summary }) => [name, summary])),
    '',
    'Options:',
    ...definitionList([
      ['-h, --help', 'show this help; feedfs COMMAND --help shows that of a command'],
      ['-V, --version', 'show the version'],
    ]),
    '',
    'Environment:',
    ...definitionList([
      ['FEEDFS_MOUNT', 'the mounted feedfs that feed names refer to, unless --mount is given'],
      ['NO_COLOR', 'if set and not empty: no colours'],
      ['DEBUG', 'feedfs:* writes what the daemon does to its standard error'],
    ]),
    '',
    'Exit codes:',
    ...definitionList(codes.map(([code, meaning]) => [code.padStart(3), meaning])),
  ].join('\n');
}
