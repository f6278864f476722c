/** The frame of one plot: title, unit, lines across, names below. */
import type { Panel } from './chart.js';
import { linearScale, logScale, type Scale, short } from './scale.js';
import { element, escapeText, text } from './svg.js';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Axes {
  readonly box: Box;
  /** Middle of the i-th name, and how much room it has. */
  xOf(i: number): number;
  readonly slot: number;
  yOf(value: number): number;
  readonly bottom: number;
  readonly marks: readonly string[];
}

const TITLE_Y = 12;
const PLOT_TOP = 26;
const PLOT_BOTTOM = 20;
const PLOT_LEFT = 38;
const TICK_GAP = 5;
const NAME_Y = 14;

export function isValue(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function scaleOf(panel: Panel): Scale {
  const values = panel.series.flatMap((s) => s.values.filter(isValue));
  const max = Math.max(0, ...values);
  if (panel.scale === 'linear') return linearScale(max);
  const positive = values.filter((v) => v > 0);
  return positive.length === 0 ? logScale(1, 10) : logScale(Math.min(...positive), max);
}

export function drawAxes(panel: Panel, box: Box): Axes {
  const scale = scaleOf(panel);
  const left = box.x + PLOT_LEFT;
  const right = box.x + box.width;
  const top = box.y + PLOT_TOP;
  const bottom = box.y + box.height - PLOT_BOTTOM;
  const slot = (right - left) / Math.max(1, panel.x.length);
  const xOf = (i: number) => left + (i + 0.5) * slot;
  const yOf = (value: number) => bottom - scale.place(value) * (bottom - top);
  const heading = element('text', { class: 'panel', x: box.x, y: box.y + TITLE_Y }, [
    element('tspan', {}, [escapeText(panel.title)]),
    element('tspan', { class: 'small', dx: 6, 'font-weight': 400 }, [escapeText(panel.unit)]),
  ]);
  const ticks = scale.ticks.flatMap((tick) => {
    const y = yOf(tick);
    return [
      element('line', { class: 'grid', x1: left, x2: right, y1: y, y2: y }),
      text(left - TICK_GAP, y + 3, short(tick), { class: 'tick', 'text-anchor': 'end' }),
    ];
  });
  const names = panel.x.map((name, i) =>
    text(xOf(i), bottom + NAME_Y, name, { class: 'tick', 'text-anchor': 'middle' }),
  );
  const axis = element('line', { class: 'axis', x1: left, x2: right, y1: bottom, y2: bottom });
  return { box, xOf, slot, yOf, bottom, marks: [heading, ...ticks, ...names, axis] };
}
