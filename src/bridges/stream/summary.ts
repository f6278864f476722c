/** What a stream consists of, for people who look into one. Pure. */
import { recordLengthAt } from '../../feed/record-codec.js';
import type { LogPlace } from '../../rpc/baseline.js';
import { baselineEntries } from '../../rpc/baseline-entry.js';
import type { ReceivedFrame } from './codec.js';
import type { Frame, StreamHeader } from './frame.js';
import type { FrameKind } from './layout.js';

export interface KindTotals {
  frames: number;
  /** As sent, heads included. */
  bytes: number;
  /** Of the payloads, inflated. */
  payloadBytes: number;
  /** Entries, records, bytes of contents, bytes of holes; otherwise 0. */
  items: number;
}

export class StreamSummary {
  header: StreamHeader | undefined;
  /** In the order in which they first came. */
  readonly kinds = new Map<FrameKind, KindTotals>();
  /** Where the last commit ended, and when the last change in it was made. */
  to: LogPlace | undefined;
  lastTime: string | undefined;
  hasEnded = false;

  /** Throws RecordError or BaselineError if what a frame holds is not what its type says. */
  add({ frame, bytes, payloadBytes }: ReceivedFrame): void {
    const totals = this.kinds.get(frame.kind) ?? nothing();
    this.kinds.set(frame.kind, totals);
    addTo(totals, { frames: 1, bytes, payloadBytes, items: itemsOf(frame) });
    if (frame.kind === 'header') this.header = frame.header;
    else if (frame.kind === 'end') this.hasEnded = true;
    else if (frame.kind === 'commit') {
      this.to = frame.to;
      this.lastTime = frame.time;
    }
  }

  /** Of all frames; their items are of different kinds, and are not added. */
  get total(): KindTotals {
    const total = nothing();
    for (const totals of this.kinds.values()) addTo(total, { ...totals, items: 0 });
    return total;
  }
}

function nothing(): KindTotals {
  return { frames: 0, bytes: 0, payloadBytes: 0, items: 0 };
}

function addTo(totals: KindTotals, more: KindTotals): void {
  totals.frames += more.frames;
  totals.bytes += more.bytes;
  totals.payloadBytes += more.payloadBytes;
  totals.items += more.items;
}

function itemsOf(frame: Frame): number {
  switch (frame.kind) {
    case 'entries': {
      let entries = 0;
      for (const _ of baselineEntries(frame.bytes)) entries += 1;
      return entries;
    }
    case 'records': {
      let records = 0;
      for (let at = 0; at < frame.bytes.length; at += recordLengthAt(frame.bytes, at)) records += 1;
      return records;
    }
    case 'data':
      return frame.bytes.length;
    case 'hole':
      return frame.length;
    default:
      return 0;
  }
}
