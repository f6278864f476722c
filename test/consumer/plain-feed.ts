/**
 * A feed's directory made of ordinary sparse files: enough for everything but
 * waiting, since an ordinary file is at its end when all is read. What is owed
 * is not kept by anyone, so `info` is as of the beginning.
 */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { TEMP_PREFIX } from '../support/mount.js';
import { RECORD_BYTES, recordLine } from './record-line.js';

/** A filesystem's block, which is the least that a hole of an ordinary file has. */
export const BLOCK_BYTES = 4096;

export interface PlainFeed {
  readonly mount: string;
  readonly directory: string;
  /** Every line of the text is this long. */
  readonly lineBytes: number;
}

/** Makes a mount's directories with one feed of `count` records whose lines fill a block each. */
export async function withPlainFeed(
  count: number,
  use: (feed: PlainFeed) => Promise<void>,
): Promise<void> {
  const mount = fs.mkdtempSync(path.join(tmpdir(), TEMP_PREFIX));
  try {
    await use(writePlainFeed(mount, 'backup', count));
  } finally {
    fs.rmSync(mount, { recursive: true });
  }
}

export function writePlainFeed(mount: string, name: string, count: number): PlainFeed {
  const directory = path.join(mount, '.lustre/feeds', name);
  fs.mkdirSync(directory, { recursive: true });
  const lines: string[] = [];
  for (let index = 1; index <= count; index++) lines.push(blockLine(index));
  fs.writeFileSync(path.join(directory, 'stream.ndjson'), lines.join(''));
  fs.writeFileSync(path.join(directory, 'stream'), Buffer.alloc(count * RECORD_BYTES, 'r'));
  const info = {
    ...{ id: 1, name, state: 'active', created: '1700000000000000000', lastRead: null },
    ...{ firstOffset: '0', nextOffset: `${count * RECORD_BYTES}` },
    ...{ firstIndex: '1', nextIndex: `${count + 1}` },
    ...{ firstText: '0', nextText: `${count * BLOCK_BYTES}` },
    ...{ owedBytes: `${count * RECORD_BYTES}`, owedRecords: `${count}` },
    ...{ owedText: `${count * BLOCK_BYTES}`, lastError: null },
    ...{
      epoch: 0,
      oldest: count === 0 ? null : '1700000000000000000',
      opens: 0,
      idleSeconds: 0,
      full: false,
    },
    ...{ filesystem: '0'.repeat(32), gaps: 0 },
    acknowledged: { epoch: 0, offset: '0', text: '0', index: '1' },
    ...{ filter: null, filterFrom: null, policy: {}, lost: null, expired: null },
  };
  fs.writeFileSync(path.join(directory, 'info'), JSON.stringify(info));
  return { mount, directory, lineBytes: BLOCK_BYTES };
}

function blockLine(index: number): string {
  const bare = recordLine(index, { pad: '' });
  return `${recordLine(index, { pad: 'x'.repeat(BLOCK_BYTES - 1 - bare.length) })}\n`;
}
