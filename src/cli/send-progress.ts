/** How far a stream is, on one line. */
import type { SendCounts } from '../bridges/send/sender.js';
import { formatBytes } from './format.js';
import { ProgressLine } from './progress-line.js';

const MS_PER_SECOND = 1000;

/** What the line says after so many ms. */
export function sendText(counts: SendCounts, bytes: number, ms: number): string {
  const { objects, objectsTotal, records } = counts;
  const parts: string[] = [];
  if (objectsTotal > 0) parts.push(`${objects} of ${objectsTotal} objects`);
  if (records > 0 || objectsTotal === 0) parts.push(`${records} records`);
  const rate = ms > 0 ? `, ${formatBytes((bytes * MS_PER_SECOND) / ms)}/s` : '';
  return `${parts.join(', ')}, ${formatBytes(bytes)}${rate}`;
}

/** Shows it until `end` is called. */
export function sendProgress(counts: SendCounts, bytes: () => number): ProgressLine {
  const start = performance.now();
  return new ProgressLine(() => sendText(counts, bytes(), performance.now() - start));
}
