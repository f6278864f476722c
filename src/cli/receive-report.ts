/** What `feedfs receive` says while it works and when it is done. */
import type { Counts } from '../bridges/receive/counts.js';
import { lagOf } from '../bridges/receive/counts.js';
import { errnoText } from '../bridges/receive/directory/hands-error.js';
import {
  appliedPlace,
  type CopyProgress,
  type Shortfall,
  type Target,
} from '../bridges/receive/target.js';
import type { LogPlace } from '../rpc/baseline.js';
import type { Context } from './command.js';
import { formatAge, formatBytes, formatName } from './format.js';
import {
  RECEIVE_PROGRESS_MS,
  SHORTFALL_TEXT_MAX,
  SHORTFALLS_PRINTED_MAX,
  SHORTFALLS_TOLD_MAX,
} from './limits.js';
import { ProgressLine } from './progress-line.js';

export interface ReportOptions {
  readonly context: Context;
  readonly counts: Counts;
  /** One JSON object per line on standard output. */
  readonly json: boolean;
}

/** Output that nobody takes any more does not stop the copying. */
export class ReceiveReport {
  readonly #context: Context;
  readonly #counts: Counts;
  readonly #json: boolean;
  readonly #line: ProgressLine;
  readonly #timer: NodeJS.Timeout | undefined;
  #written: Promise<void> = Promise.resolve();
  /** As of the last look: when, in nanoseconds, and what was done by then. */
  #before: { readonly at: bigint; readonly bytes: number; readonly records: number };
  #told = '';

  constructor({ context, counts, json }: ReportOptions) {
    this.#context = context;
    this.#counts = counts;
    this.#json = json;
    this.#before = { at: context.now(), bytes: 0, records: 0 };
    this.#line = new ProgressLine(() => this.#progressText());
    if (json) {
      this.#timer = setInterval(() => this.#progress(), RECEIVE_PROGRESS_MS);
      this.#timer.unref();
    }
  }

  hello(target: 'directory' | 'feedfs', progress: CopyProgress | undefined): void {
    const copy =
      progress === undefined
        ? null
        : {
            filesystem: progress.filesystem,
            feed: progress.feed,
            baseline: progress.baseline,
            ...placeToJson(progress.place),
          };
    this.#event({ event: 'hello', target, copy });
  }

  confirmed(place: LogPlace): void {
    this.#event({ event: 'confirmed', ...placeToJson(place) });
  }

  /** A line of a dry run. */
  step(line: string): void {
    if (this.#json) this.#event({ event: 'step', step: line });
    else this.#write(`${line}\n`);
  }

  message(text: string): void {
    this.#line.clear();
    this.#context.output.message(text);
  }

  done({ progress, shortfalls: { count, first } }: Pick<Target, 'progress' | 'shortfalls'>): void {
    this.#stop();
    if (this.#json) {
      const place = progress === undefined ? {} : placeToJson(progress.place);
      const shortfalls = { count, first: first.slice(0, SHORTFALLS_TOLD_MAX).map(cut) };
      this.#event({ event: 'done', ...this.#totals(), ...place, shortfalls });
    } else {
      this.#write(`${this.#summary(progress)}\n`);
    }
    if (count > 0) this.#tellShortfalls(count, first);
  }

  /** Resolves when all of it is written, or nobody takes it. */
  async end(): Promise<void> {
    this.#stop();
    await this.#written;
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#line.end();
  }

  #totals() {
    const { objects, bytes, records, batches, baselines } = this.#counts;
    return { files: objects, bytes, records, batches, baselines };
  }

  #progress(): void {
    const totals = this.#totals();
    const told = JSON.stringify([totals, this.#counts.applied, this.#counts.end]);
    if (told === this.#told) return;
    this.#told = told;
    const rates = this.#rates();
    const { records, seconds } = lagOf(this.#counts, this.#context.now());
    const lag = { lagRecords: records, lagSeconds: seconds };
    this.#event({ event: 'progress', ...totals, ...rates, ...lag });
  }

  #rates(): { readonly recordsPerSecond: number; readonly bytesPerSecond: number } {
    const { bytes, records } = this.#counts;
    const at = this.#context.now();
    const seconds = Math.max(1e-3, Number(at - this.#before.at) / 1e9);
    const rate = (now: number, before: number) => Math.round((now - before) / seconds);
    const recordsPerSecond = rate(records, this.#before.records);
    const bytesPerSecond = rate(bytes, this.#before.bytes);
    this.#before = { at, bytes, records };
    return { recordsPerSecond, bytesPerSecond };
  }

  #progressText(): string {
    const { objects, objectsExpected, bytes, records } = this.#counts;
    const of = objectsExpected === 0 ? '' : ` of ${objectsExpected}`;
    const parts = [`${objects}${of} files`, formatBytes(bytes)];
    if (this.#context.now() > this.#before.at) {
      parts.push(`${formatBytes(this.#rates().bytesPerSecond)}/s`);
    }
    if (records > 0) parts.push(`${records} records`);
    const lag = lagOf(this.#counts, this.#context.now());
    if (lag.records > 0) parts.push(`${lag.records} records and ${formatAge(lag.seconds)} behind`);
    return parts.join(', ');
  }

  #summary(progress: CopyProgress | undefined): string {
    const { objects, bytes, records, baselines } = this.#counts;
    const what = [`${objects} files`, formatBytes(bytes)];
    if (baselines > 0) what.push('a baseline');
    what.push(`${records} records`);
    const where =
      progress === undefined
        ? ''
        : `; the copy has everything before record ${appliedPlace(progress).index}`;
    return `received ${what.join(', ')}${where}`;
  }

  #tellShortfalls(count: number, first: readonly Shortfall[]): void {
    for (const { what, path, detail, errno } of first.slice(0, SHORTFALLS_PRINTED_MAX)) {
      const about = detail === '' ? what : `${what} ${formatName(detail)}`;
      this.#context.output.message(
        `could not set ${about} of ${formatName(path)}: ${errnoText(errno)}`,
      );
    }
    const more = count - Math.min(first.length, SHORTFALLS_PRINTED_MAX);
    if (more > 0) this.#context.output.message(`… and ${more} more`);
  }

  #event(event: object): void {
    if (this.#json) this.#write(`${JSON.stringify(event)}\n`);
  }

  #write(text: string): void {
    const written = this.#context.output.write(text).catch(() => {});
    this.#written = Promise.all([this.#written, written]).then(() => {});
  }
}

/** With names of a length that a line of output can hold many of. */
function cut({ path, detail, ...rest }: Shortfall): Shortfall {
  return { ...rest, path: shortened(path), detail: shortened(detail) };
}

function shortened(text: string): string {
  return text.length <= SHORTFALL_TEXT_MAX ? text : `${text.slice(0, SHORTFALL_TEXT_MAX)}…`;
}

function placeToJson({ epoch, offset, index }: LogPlace) {
  return { epoch, offset: String(offset), index: String(index) };
}
