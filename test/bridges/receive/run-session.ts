/** Runs a session over bytes or frames. */
import { tmpdir } from 'node:os';
import { noCounts } from '../../../src/bridges/receive/counts.js';
import { StreamRefused } from '../../../src/bridges/receive/refusal.js';
import { Session } from '../../../src/bridges/receive/session.js';
import type { Target } from '../../../src/bridges/receive/target.js';
import type { Frame } from '../../../src/bridges/stream/frame.js';
import { StreamReader } from '../../../src/bridges/stream/reader.js';
import type { LogPlace } from '../../../src/rpc/baseline.js';
import { FakeClock } from '../../support/fake-clock.js';
import { frameBytes } from './sample-stream.js';

export interface Outcome {
  /** Undefined: the stream was received to its end. */
  readonly refused: StreamRefused | undefined;
  readonly durable: readonly LogPlace[];
  readonly notices: readonly string[];
  readonly counts: ReturnType<typeof noCounts>;
}

/** What whoever runs it would read. */
export function message({ refused }: Outcome): string {
  return refused?.message ?? 'received';
}

/** Chunks as a pipe would bring them, or whatever a test makes of it. */
export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** What is no refusal of the stream is thrown on. */
export async function receive(
  target: Target,
  chunks: Chunks,
  clock = new FakeClock(),
): Promise<Outcome> {
  const durable: LogPlace[] = [];
  const notices: string[] = [];
  const counts = noCounts();
  const session = new Session({
    frames: new StreamReader(each(chunks)),
    target,
    counts,
    clock,
    spoolDirectory: tmpdir(),
    begin: () => {},
    durable: (place) => durable.push(place),
    notice: (message) => notices.push(message),
  });
  try {
    await session.run();
    return { refused: undefined, durable, notices, counts };
  } catch (error) {
    if (!(error instanceof StreamRefused)) throw error;
    return { refused: error, durable, notices, counts };
  }
}

export function receiveFrames(target: Target, frames: readonly Frame[]): Promise<Outcome> {
  return receive(target, [Buffer.concat(frameBytes(frames))]);
}

async function* each(chunks: Chunks): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
