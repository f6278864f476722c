/**
 * A chart: small plots of one kind beside one another, with one legend. 720 px wide;
 * colours for a light and for a dark page; no script, nothing loaded.
 */

import { type Axes, drawAxes } from './axes.js';
import { bars, lines } from './marks.js';
import { PALETTE, styleSheet } from './palette.js';
import { element, escapeText, text } from './svg.js';

export interface Series {
  readonly name: string;
  /** One for each name on the x axis; null or NaN where there is none. */
  readonly values: readonly (number | null)[];
}

export interface Panel {
  readonly title: string;
  /** Of the values. */
  readonly unit: string;
  readonly kind: 'lines' | 'bars';
  readonly scale: 'linear' | 'log';
  /** Names along the x axis, evenly spaced. */
  readonly x: readonly string[];
  readonly series: readonly Series[];
}

export interface Chart {
  /** Without folder and extension. */
  readonly file: string;
  readonly title: string;
  /** What the x axis means. */
  readonly subtitle: string;
  readonly columns: number;
  readonly panels: readonly Panel[];
}

export const CHART_WIDTH = 720;
const EDGE = 20;
const GAP = 14;
const PANEL_HEIGHT = 170;
const TITLE_Y = 30;
const SUBTITLE_Y = 48;
const LEGEND_Y = 70;
const LEGEND_LINE = 18;
const LEGEND_CHAR = 6.6;
const LEGEND_MARK = 16;
const FOOT = 26;

/** The names of all panels, each once: its place decides its colour. */
function namesOf(chart: Chart): readonly string[] {
  return [...new Set(chart.panels.flatMap((panel) => panel.series.map((s) => s.name)))];
}

interface Legend {
  readonly marks: readonly string[];
  readonly height: number;
}

function drawLegend(names: readonly string[]): Legend {
  const marks: string[] = [];
  let x = EDGE;
  let y = LEGEND_Y;
  for (const [i, name] of names.entries()) {
    const width = LEGEND_MARK + name.length * LEGEND_CHAR + GAP;
    if (x > EDGE && x + width > CHART_WIDTH - EDGE) {
      x = EDGE;
      y += LEGEND_LINE;
    }
    const colour = `f${i % PALETTE.length}`;
    marks.push(element('rect', { class: colour, x, y: y - 9, width: 10, height: 10, rx: 2 }));
    marks.push(text(x + LEGEND_MARK, y, name, { class: 'label' }));
    x += width;
  }
  return { marks, height: y - LEGEND_Y + LEGEND_LINE };
}

function drawPanel(panel: Panel, names: readonly string[], box: Axes['box']): string {
  const axes = drawAxes(panel, box);
  const draw = panel.kind === 'lines' ? lines : bars;
  return element('g', {}, [...axes.marks, ...draw(panel, axes, names)]);
}

/** `machine` is where the figures come from, below the chart. */
export function renderChart(chart: Chart, machine: string): string {
  const names = namesOf(chart);
  const legend = drawLegend(names);
  const top = LEGEND_Y + legend.height;
  const width = (CHART_WIDTH - 2 * EDGE - (chart.columns - 1) * GAP) / chart.columns;
  const panels = chart.panels.map((panel, i) =>
    drawPanel(panel, names, {
      x: EDGE + (i % chart.columns) * (width + GAP),
      y: top + Math.floor(i / chart.columns) * (PANEL_HEIGHT + GAP),
      width,
      height: PANEL_HEIGHT,
    }),
  );
  const rows = Math.ceil(chart.panels.length / chart.columns);
  const height = top + rows * (PANEL_HEIGHT + GAP) + FOOT;
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    width: CHART_WIDTH,
    height,
    viewBox: `0 0 ${CHART_WIDTH} ${Math.round(height)}`,
    role: 'img',
  };
  const parts = [
    element('title', {}, [escapeText(chart.title)]),
    styleSheet(names.length),
    element('rect', { class: 'page', width: CHART_WIDTH, height, rx: 6 }),
    text(EDGE, TITLE_Y, chart.title, { class: 'title' }),
    text(EDGE, SUBTITLE_Y, chart.subtitle, { class: 'small' }),
    ...legend.marks,
    ...panels,
    text(EDGE, height - 12, machine, { class: 'small' }),
  ];
  return `${element(
    'svg',
    attributes,
    parts.map((part) => `\n${part}`),
  )}\n`;
}
