/** What a run prints, and the JSON that it leaves in bench-results/. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Machine } from './machine.js';
import type { SectionResult } from './section.js';
import type { SizeName } from './sizes.js';
import { formatRatios, formatTable } from './table.js';

/** Load average above which other work disturbs the figures. */
const QUIET_LOAD = 0.5;

export interface Outcome {
  readonly name: string;
  readonly seconds: number;
  readonly result: SectionResult | undefined;
  readonly error: string | undefined;
}

export interface Run {
  readonly machine: Machine;
  readonly size: SizeName;
  readonly missing: readonly string[];
  readonly outcomes: readonly Outcome[];
}

/** A run as it is read back from its file; what a section measured is that section's own. */
export interface StoredRun {
  readonly machine: Machine;
  readonly size?: SizeName;
  readonly sections: Readonly<
    Record<string, { readonly error?: string; readonly data?: unknown } | undefined>
  >;
}

export function machineLine(machine: Machine): string {
  const gib = Math.round(machine.memoryBytes / 1024 ** 3);
  return `${machine.cpu}, ${machine.cpus} CPUs, ${gib} GiB; Linux ${machine.kernel}, Node ${machine.node}`;
}

export function formatRun({ machine, size, missing, outcomes }: Run): string {
  const parts = [
    `${machineLine(machine)}\n${machine.date}, load before ${machine.load.toFixed(2)}\n`,
  ];
  if (size === 'quick') parts.push('Tiny sizes: the figures mean nothing.\n');
  if (machine.load > QUIET_LOAD)
    parts.push('The machine was busy: ratios of short operations are not reliable.\n');
  const ratios = outcomes.flatMap((o) => o.result?.ratios ?? []);
  if (ratios.length > 0) parts.push(formatRatios(ratios));
  for (const { name, seconds, result, error } of outcomes) {
    if (error !== undefined) parts.push(`${name} failed: ${error}\n`);
    if (result === undefined) continue;
    parts.push(...result.tables.map(formatTable));
    const notes = [...result.notes, `(${name}: ${seconds.toFixed(0)} s)`];
    parts.push(`${notes.map((n) => `  ${n}`).join('\n')}\n`);
  }
  if (missing.length > 0) parts.push(`${missing.map((m) => `missing: ${m}`).join('\n')}\n`);
  return parts.join('\n');
}

export function jsonOf({ machine, size, missing, outcomes }: Run): string {
  const sections = Object.fromEntries(
    outcomes.map(({ name, seconds, result, error }) => [
      name,
      { seconds, ...(error === undefined ? {} : { error }), ...result },
    ]),
  );
  return `${JSON.stringify({ machine, size, missing, sections }, null, 1)}\n`;
}

/** The file's path. */
export function writeResults(folder: string, date: string, json: string): string {
  fs.mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${date.replaceAll(':', '-')}.json`);
  fs.writeFileSync(file, json);
  return file;
}

/** The newest run first: the names of the files are their dates. */
export function readResults(folder: string): readonly StoredRun[] {
  if (!fs.existsSync(folder)) return [];
  const names = fs.readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names
    .sort()
    .reverse()
    .map((name) => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')) as StoredRun);
}
