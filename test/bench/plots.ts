/** The plots of the newest results, section by section: they can be redrawn without measuring. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Chart, renderChart } from './plot/chart.js';
import { machineLine, type StoredRun } from './report.js';
import type { Section } from './section.js';
import { messageOf } from './shell.js';

export interface Drawn {
  readonly chart: Chart;
  /** Below the chart: the machine and the day. */
  readonly source: string;
}

/**
 * Of each section its newest result, from `runs` with the newest first. A run of tiny
 * sizes counts only when nothing else was asked for.
 */
export function chartsOf(
  sections: readonly Section[],
  runs: readonly StoredRun[],
  isQuick: boolean,
): { readonly drawn: readonly Drawn[]; readonly problems: readonly string[] } {
  const drawn: Drawn[] = [];
  const problems: string[] = [];
  for (const section of sections) {
    const { charts } = section;
    if (charts === undefined) continue;
    const usable = runs.filter((run) => (run.size === 'quick') === isQuick);
    const run = usable.find(
      ({ sections: { [section.name]: found } }) =>
        found?.data !== undefined && found.error === undefined,
    );
    if (run === undefined) {
      problems.push(`${section.name}: no results yet`);
      continue;
    }
    const source = `${machineLine(run.machine)}; ${run.machine.date.slice(0, 10)}`;
    try {
      const made = charts(run.sections[section.name]?.data);
      drawn.push(...made.map((chart) => ({ chart, source })));
    } catch (error) {
      // Most likely of an older bench, which kept other figures.
      problems.push(`${section.name}: its newest results cannot be drawn (${messageOf(error)})`);
    }
  }
  return { drawn, problems };
}

/** The files written. */
export function writePlots(folder: string, drawn: readonly Drawn[]): readonly string[] {
  fs.mkdirSync(folder, { recursive: true });
  return drawn.map(({ chart, source }) => {
    const file = path.join(folder, `${chart.file}.svg`);
    fs.writeFileSync(file, renderChart(chart, source));
    return file;
  });
}
