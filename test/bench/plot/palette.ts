/** Colours that keep apart on white and on black, also for the colour-blind. */
import { element } from './svg.js';

export const PALETTE = [
  { light: '#0067b0', dark: '#5cb3ff' },
  { light: '#c44f00', dark: '#ff9d57' },
  { light: '#00805f', dark: '#3fd0a8' },
  { light: '#a83c80', dark: '#eb8fc8' },
  { light: '#8a6d00', dark: '#e2c54a' },
  { light: '#6b6b6b', dark: '#b0b0b0' },
] as const;

function rules(shade: 'light' | 'dark', count: number): string {
  const dark = shade === 'dark';
  const base = [
    `.page{fill:${dark ? '#14171c' : '#ffffff'}}`,
    `text{fill:${dark ? '#dfe3e8' : '#20252b'}}`,
    `.small,.tick{fill:${dark ? '#a3abb5' : '#5b646e'}}`,
    `.grid{stroke:${dark ? '#2f353d' : '#e3e7eb'}}`,
    `.axis{stroke:${dark ? '#78818c' : '#8b949e'}}`,
  ];
  const series = PALETTE.slice(0, count).map(
    (colour, i) => `.f${i}{fill:${colour[shade]}}.s${i}{stroke:${colour[shade]}}`,
  );
  return [...base, ...series].join('');
}

/** For so many series; those beyond the palette begin it again. */
export function styleSheet(count: number): string {
  return element('style', {}, [
    'text{font-family:system-ui,sans-serif}',
    '.title{font-size:16px;font-weight:600}.panel{font-size:12px;font-weight:600}',
    '.small{font-size:11px}.label{font-size:12px}.tick{font-size:10px}',
    '.line{fill:none;stroke-width:2}.grid,.axis{stroke-width:1}',
    rules('light', count),
    `@media (prefers-color-scheme:dark){${rules('dark', count)}}`,
  ]);
}
