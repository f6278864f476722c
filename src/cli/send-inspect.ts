/** `feedfs send --inspect`: what a stream consists of, and whether it is whole. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { timeFromNanoseconds } from '../base/time.js';
import { placeToJson } from '../bridges/stream/header.js';
import { type FrameKind, HEAD_BYTES } from '../bridges/stream/layout.js';
import { StreamReader } from '../bridges/stream/reader.js';
import { StreamError } from '../bridges/stream/stream-error.js';
import { type KindTotals, StreamSummary } from '../bridges/stream/summary.js';
import type { LogPlace } from '../rpc/baseline.js';
import { usageError } from './cli-error.js';
import type { Context } from './command.js';
import { ExitCode } from './exit-codes.js';
import { formatBytes, formatName, formatTime } from './format.js';
import { table } from './output.js';

/** Bytes of a file that are read at once. */
const READ_BYTES = 1024 * 1024;

/** Prints to standard output. Exit code STREAM_REFUSED if it is not whole. */
export async function inspect(
  file: string | undefined,
  json: boolean,
  context: Context,
): Promise<ExitCode> {
  if (file === undefined && process.stdin.isTTY === true) {
    throw usageError('--inspect reads a stream from a file, or from standard input');
  }
  const source =
    file === undefined || file === '-'
      ? process.stdin
      : fs.createReadStream(path.resolve(context.cwd, file), { highWaterMark: READ_BYTES });
  const summary = new StreamSummary();
  const error = await summarise(new StreamReader(source), summary);
  if (json) await context.output.json(summaryJson(summary, error));
  else if (summary.header !== undefined) {
    await context.output.line(summaryLines(summary, error).join('\n'));
  }
  if (error === undefined) return ExitCode.OK;
  if (!json) context.output.message(error.message);
  return ExitCode.STREAM_REFUSED;
}

/** Why it is not whole. */
async function summarise(
  reader: StreamReader,
  summary: StreamSummary,
): Promise<StreamError | undefined> {
  try {
    for await (const received of reader) {
      try {
        summary.add(received);
      } catch (cause) {
        if (!(cause instanceof Error)) throw cause;
        return new StreamError('damaged', received.at, cause.message, { cause });
      }
    }
    return undefined;
  } catch (error) {
    if (error instanceof StreamError) return error;
    throw error;
  }
}

export function summaryJson(summary: StreamSummary, error: StreamError | undefined): unknown {
  const { header, to, lastTime, total } = summary;
  return {
    header:
      header === undefined
        ? null
        : { ...header, from: header.from === undefined ? null : placeToJson(header.from) },
    to: to === undefined ? null : placeToJson(to),
    lastChange: lastTime ?? null,
    frames: total.frames,
    bytes: total.bytes,
    payloadBytes: total.payloadBytes,
    kinds: Object.fromEntries(summary.kinds),
    complete: error === undefined,
    error:
      error === undefined
        ? null
        : {
            kind: error.kind,
            frame: error.at.number,
            offset: error.at.offset,
            reason: error.reason,
          },
  };
}

export function summaryLines(summary: StreamSummary, error: StreamError | undefined): string[] {
  const { header, to, lastTime, total } = summary;
  if (header === undefined) return [];
  const facts: [string, string][] = [
    ['feed', `${formatName(header.feed.name)} (id ${header.feed.id})`],
    ['origin', `${formatName(header.origin.host)}:${formatName(header.origin.directory)}`],
    ['filesystem', header.filesystem],
    ['begun', timeText(header.time)],
    ['begins', header.from === undefined ? 'with a baseline' : placeText(header.from)],
    ['leads to', to === undefined ? 'nothing: no commit is in it' : placeText(to)],
    ['last change', lastTime === undefined ? '-' : timeText(lastTime)],
    ['size', `${formatBytes(total.bytes)}${compression(total)}`],
    ['whole', error === undefined ? 'yes' : `no: it is ${error.kind} at byte ${error.at.offset}`],
  ];
  const rows = [...summary.kinds].map(([kind, totals]) => [
    kind,
    String(totals.frames),
    formatBytes(totals.bytes),
    ratio(totals),
    holds(kind, totals),
  ]);
  const head = ['frames', 'count', 'bytes', 'deflated to', 'hold'];
  return [...table(facts, new Set()), '', ...table([head, ...rows], new Set([1, 2, 3]))];
}

function placeText({ epoch, offset, index }: LogPlace): string {
  const where = epoch === 0 ? '' : ` of epoch ${epoch}`;
  return `before record ${index} (byte ${offset} of the log${where})`;
}

function timeText(nanoseconds: string): string {
  return formatTime(timeFromNanoseconds(nanoseconds));
}

function compression(total: KindTotals): string {
  return ratio(total) === '' ? '' : `, deflated from ${formatBytes(total.payloadBytes)}`;
}

/** Of what was deflated; empty if nothing was. */
function ratio({ frames, bytes, payloadBytes }: KindTotals): string {
  const sent = bytes - frames * HEAD_BYTES;
  return sent >= payloadBytes ? '' : `${((100 * sent) / payloadBytes).toFixed(0)}%`;
}

function holds(kind: FrameKind, { items }: KindTotals): string {
  switch (kind) {
    case 'entries':
    case 'records':
      return items === 1 ? `1 ${kind === 'records' ? 'record' : 'entry'}` : `${items} ${kind}`;
    case 'data':
      return `${formatBytes(items)} of contents`;
    case 'hole':
      return `${formatBytes(items)} of holes`;
    default:
      return '';
  }
}
