/** What shows the values: lines with a dot at each, or bars side by side. */
import type { Axes } from './axes.js';
import { isValue } from './axes.js';
import type { Panel } from './chart.js';
import { PALETTE } from './palette.js';
import { short } from './scale.js';
import { element, text } from './svg.js';

const DOT_RADIUS = 2.8;
/** Of the room that a name has; the rest keeps groups apart. */
const BARS_SHARE = 0.84;
/** A narrower bar has no room for its value above it. */
const LABELLED_WIDTH = 18;
/** So that a bar that rounds to nothing is still seen. */
const BAR_HEIGHT_MIN = 0.5;

function colourOf(name: string, names: readonly string[]): number {
  return names.indexOf(name) % PALETTE.length;
}

/** A missing value is a gap in its line. */
export function lines(panel: Panel, axes: Axes, names: readonly string[]): string[] {
  return panel.series.flatMap((series) => {
    const colour = colourOf(series.name, names);
    const dots: string[] = [];
    let path = '';
    let isBroken = true;
    for (const [i, value] of series.values.entries()) {
      if (!isValue(value)) {
        isBroken = true;
        continue;
      }
      const [x, y] = [axes.xOf(i), axes.yOf(value)];
      path += `${isBroken ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
      isBroken = false;
      dots.push(element('circle', { class: `f${colour}`, cx: x, cy: y, r: DOT_RADIUS }));
    }
    if (path === '') return [];
    return [element('path', { class: `line s${colour}`, d: path }), ...dots];
  });
}

export function bars(panel: Panel, axes: Axes, names: readonly string[]): string[] {
  const width = (axes.slot * BARS_SHARE) / Math.max(1, panel.series.length);
  return panel.series.flatMap((series, at) =>
    series.values.flatMap((value, i) => {
      if (!isValue(value)) return [];
      const x = axes.xOf(i) - (axes.slot * BARS_SHARE) / 2 + at * width;
      const y = Math.min(axes.yOf(value), axes.bottom - BAR_HEIGHT_MIN);
      const bar = element('rect', {
        class: `f${colourOf(series.name, names)}`,
        x: x + 1,
        y,
        width: Math.max(1, width - 2),
        height: axes.bottom - y,
      });
      if (width < LABELLED_WIDTH) return [bar];
      const label = { class: 'tick', 'text-anchor': 'middle' };
      return [bar, text(x + width / 2, y - 3, short(value), label)];
    }),
  );
}
