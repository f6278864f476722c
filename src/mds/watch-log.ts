/** The log as watches read it: one record at a time, at places that they remember. */

import type { Log } from '../feed/log.js';
import type { LogBlock } from '../feed/log-block.js';
import type { FeedRecord } from '../feed/record.js';
import { RecordReader } from '../feed/record-codec.js';
import { RecordError } from '../feed/record-error.js';
import type { RecordPlace } from '../feed/takers.js';
import type { WatchLog } from './watch.js';

export class WatchLogReader implements WatchLog {
  readonly #log: Log;
  /** Of the block that was read last. */
  #block: LogBlock | undefined;
  #reader: RecordReader | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  isVisible({ epoch, offset }: RecordPlace): boolean {
    const span = this.#log.span(epoch);
    return span !== undefined && offset < span.visibleEnd.offset;
  }

  record({ epoch, offset }: RecordPlace): FeedRecord | undefined {
    const block = this.#log.span(epoch)?.blocks.blockAt(offset, 'offset');
    if (block === undefined) return undefined;
    if (block !== this.#block || this.#reader === undefined) {
      this.#block = block;
      this.#reader = new RecordReader(block.bytes);
    }
    try {
      return this.#reader.decode(offset - block.head.start.offset).record;
    } catch (error) {
      if (error instanceof RecordError) return undefined;
      throw error;
    }
  }
}
