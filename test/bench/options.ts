/** The command line of the bench. */
import { parseArgs } from 'node:util';
import type { Section } from './section.js';
import type { SizeName } from './sizes.js';

export interface Options {
  readonly sections: readonly Section[];
  /** Draw the plots afterwards; alone, without measuring. */
  readonly plots: boolean;
  readonly size: SizeName;
  readonly clients: readonly number[];
  readonly busyPoll: readonly string[];
  readonly json: boolean;
  /** Where the plots go; undefined: the project's own folder. */
  readonly out: string | undefined;
}

const CLIENTS_MAX = 64;
const CLIENTS_DEFAULT = '1,2,8';
const BUSY_POLL_DEFAULT = '0,50';
/** Not a section: it measures nothing. */
export const PLOTS = 'plots';

export function usage(sections: readonly Section[]): string {
  const width = Math.max(PLOTS.length, ...sections.map((s) => s.name.length));
  return [
    'usage: npm run bench [-- SECTION... [options]]',
    '',
    ...sections.map((s) => `  ${s.name.padEnd(width)}  ${s.summary}`),
    `  ${PLOTS.padEnd(width)}  draw docs/plots/*.svg from the newest results of each section`,
    '',
    '  Without a section: all of them, then the plots.',
    '',
    `  --clients LIST    client processes of metadata and spin (${CLIENTS_DEFAULT})`,
    `  --busy-poll LIST  what spin gives the mount option busy_poll, beside its default (${BUSY_POLL_DEFAULT})`,
    '  --full            also what takes long: a backlog of ten million records',
    '  --quick           tiny sizes: does everything work? The figures mean nothing',
    '  --out DIR         draw the plots there',
    '  --json            print the JSON instead of the tables',
    '',
  ].join('\n');
}

/** '' when help is wanted, a message when the words are wrong. */
export function parseOptions(argv: readonly string[], known: readonly Section[]): Options | string {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(argv);
  } catch (error) {
    return `bench: ${(error as Error).message}`;
  }
  const { values, positionals } = parsed;
  if (values.help === true) return '';
  if (values.full === true && values.quick === true) return 'bench: --full or --quick, not both';
  if (values.quick === true && positionals.includes(PLOTS) && values.out === undefined)
    return 'bench: plots of tiny sizes need --out, so that they replace no others';
  const clients = (values.clients ?? CLIENTS_DEFAULT).split(',').map(Number);
  if (!clients.every((n) => Number.isInteger(n) && n >= 1 && n <= CLIENTS_MAX))
    return `bench: --clients takes numbers of 1 to ${CLIENTS_MAX}, separated by commas`;
  const unknown = positionals.find((word) => word !== PLOTS && !known.some((s) => s.name === word));
  if (unknown !== undefined) return `bench: no section ${unknown}`;
  const isAll = positionals.length === 0;
  return {
    sections: known.filter((s) => isAll || positionals.includes(s.name)),
    plots: isAll || positionals.includes(PLOTS),
    size: values.full === true ? 'full' : values.quick === true ? 'quick' : 'default',
    clients,
    busyPoll: (values['busy-poll'] ?? BUSY_POLL_DEFAULT).split(',').filter((word) => word !== ''),
    json: values.json === true,
    out: values.out,
  };
}

function parse(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      clients: { type: 'string' },
      'busy-poll': { type: 'string' },
      out: { type: 'string' },
      json: { type: 'boolean' },
      full: { type: 'boolean' },
      quick: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}
