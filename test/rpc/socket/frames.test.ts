/** A stream of frames: taken apart wherever it is cut, and refused where it is none. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MESSAGE_BYTES_MAX } from '../../../src/rpc/limits.js';
import { FrameReader, writeFrame } from '../../../src/rpc/socket/frame.js';
import { serverMessages } from '../../../src/rpc/socket/messages.js';
import { WireError } from '../../../src/rpc/socket/wire-error.js';
import { scratchWriter } from '../../../src/rpc/socket/writer.js';

/** Runs it; true if it was refused as it should be. */
function refused(run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch (error) {
    if (error instanceof WireError) return true;
    throw error;
  }
}

/** Frames of some messages, as one stream. */
function stream(count: number): Buffer {
  const out = scratchWriter();
  for (let transno = 0; transno < count; transno++) {
    writeFrame(out, serverMessages, { kind: 'committed', transno });
  }
  return Buffer.from(out.view());
}

test('a stream is taken apart wherever it is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }), (lengths) => {
      const bytes = stream(20);
      const frames = new FrameReader();
      const read: unknown[] = [];
      const push = (chunk: Buffer): void => {
        frames.push(Buffer.from(chunk));
        for (let body = frames.next(); body !== undefined; body = frames.next()) {
          read.push(serverMessages.decode(body));
        }
      };
      let at = 0;
      for (const length of lengths) {
        push(bytes.subarray(at, at + length));
        at += length;
      }
      push(bytes.subarray(at));
      const sent = Array.from({ length: 20 }, (_, transno) => ({ kind: 'committed', transno }));
      assert.equal(read, sent);
      assert.is(frames.length, 0);
    }),
  );
});

test('a header that claims a long message sets nothing aside for it', () => {
  const header = Buffer.alloc(14);
  header.writeUInt32BE(0x4646_0100, 0);
  header.writeUInt32BE(MESSAGE_BYTES_MAX, 4);
  const before = process.memoryUsage().arrayBuffers;
  const connections = Array.from({ length: 100 }, () => new FrameReader());
  for (const frames of connections) {
    frames.push(header.subarray(0, 13));
    frames.push(header.subarray(13));
    assert.is(frames.next(), undefined);
  }
  const each = (process.memoryUsage().arrayBuffers - before) / connections.length;
  assert.ok(each < 64 * 1_024, `${each} bytes each`);
  header.writeUInt32BE(MESSAGE_BYTES_MAX + 1, 4);
  const frames = new FrameReader();
  frames.push(header);
  assert.throws(() => frames.next(), /claims 4194305 bytes/);
});

test('what was given of a stream is not overwritten by what comes after it', () => {
  const bytes = stream(2);
  const frames = new FrameReader();
  frames.push(Buffer.from(bytes.subarray(0, 5)));
  frames.push(Buffer.from(bytes.subarray(5, 20)));
  const first = frames.next();
  const before = Buffer.from(first ?? []);
  frames.push(Buffer.from(bytes.subarray(20)));
  frames.next();
  frames.push(Buffer.alloc(100, 0xff));
  assert.ok(first?.equals(before));
});

test('a damaged, foreign or oversized frame is refused', () => {
  const bytes = stream(1);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = Buffer.from(bytes);
    const at = bit >> 3;
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (bit & 7));
    const frames = new FrameReader();
    frames.push(damaged);
    // A longer length only waits for bytes that never come.
    const length = damaged.readUInt32BE(4);
    const waits = length > bytes.length - 12 && length <= MESSAGE_BYTES_MAX;
    if (waits) assert.is(frames.next(), undefined);
    else
      assert.ok(
        refused(() => frames.next()),
        `bit ${bit}`,
      );
  }
  const web = new FrameReader();
  web.push(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  assert.throws(() => web.next(), /does not speak the protocol/);
  const newer = Buffer.from(bytes);
  newer[2] = 2;
  const frames = new FrameReader();
  frames.push(newer);
  assert.throws(() => frames.next(), /version 2/);
});

test.run();
