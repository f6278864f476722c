/** Text tables and numbers for a terminal of 80 columns. */
import { type Ratio, reached } from './stats.js';

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  /** The first cell of a row is text, the rest are aligned to the right. */
  readonly rows: readonly (readonly string[])[];
}

const GROUP = /\B(?=(\d{3})+(?!\d))/g;

/** 12345.6 → `12,346`; small numbers keep the digits that matter. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toString().replace(GROUP, ',');
  if (size >= 100) return value.toFixed(0);
  return value.toFixed(size >= 10 ? 1 : 2);
}

export function formatTable(table: Table): string {
  const all = [table.head, ...table.rows];
  const widths = table.head.map((_, column) =>
    Math.max(...all.map((row) => row[column]?.length ?? 0)),
  );
  const lines = all.map((row) =>
    widths
      .map((width, column) => {
        const cell = row[column] ?? '';
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
  return `${[table.title, ...lines].join('\n')}\n`;
}

/** One line per ratio: the value, what was promised, whether it holds. */
export function formatRatios(ratios: readonly Ratio[]): string {
  const rows = ratios.map((ratio) => {
    const unit = ratio.unit === 'x' ? 'x' : ` ${ratio.unit}`;
    const goal =
      ratio.goal === undefined ? '' : `${ratio.goal.relation} ${number(ratio.goal.bound)}`;
    const holds = reached(ratio);
    const verdict = holds === undefined ? '' : holds ? 'reached' : 'NOT REACHED';
    return [ratio.what, `${number(ratio.value)}${unit}`, goal, verdict];
  });
  return formatTable({ title: '', head: ['ratio', 'value', 'goal', ''], rows }).trimStart();
}
