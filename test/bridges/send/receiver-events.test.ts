/** What a receiver prints, however it is cut into pieces. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EVENT_LINE_BYTES_MAX } from '../../../src/bridges/send/limits.js';
import { type ReceiverEvent, ReceiverEvents } from '../../../src/bridges/send/receiver-events.js';
import { SendError } from '../../../src/bridges/send/send-error.js';

const PIECE = 64 * 1024;

function pushAll(text: string, piece = PIECE): ReceiverEvent[] {
  const events = new ReceiverEvents();
  const bytes = Buffer.from(text);
  const all: ReceiverEvent[] = [];
  for (let at = 0; at < bytes.length; at += piece) {
    all.push(...events.push(bytes.subarray(at, at + piece)));
  }
  return all;
}

test('lines that come in pieces', () => {
  const confirmed = { event: 'confirmed', epoch: 0, offset: '4096', index: '41' };
  const text = `{"event":"hello","copy":null}\n\n${JSON.stringify(confirmed)}\n{"event":"x"}\n`;
  const place = { epoch: 0, offset: 4_096, index: 41 };
  for (const piece of [1, 7, 1_000]) {
    assert.equal(pushAll(text, piece), [
      { event: 'hello', copy: null },
      { event: 'confirmed', place },
      { event: 'other', json: { event: 'x' } },
    ]);
  }
});

test('the longest end of a copy on which nothing could be set', () => {
  // The longest path and name, of bytes that JSON makes six of each.
  const path = '\u0001'.repeat(4_095);
  const shortfall = { what: 'xattr', path, detail: '\u0001'.repeat(255), errno: 1 };
  const first = Array.from({ length: 1_000 }, () => shortfall);
  const done = { event: 'done', files: 1, shortfalls: { count: 1_500, first } };
  const [event] = pushAll(`${JSON.stringify(done)}\n`);
  assert.is(event?.event, 'other');
});

test('what is no line of a receiver is refused, and shown in short', () => {
  const refusal = (text: string): string => {
    try {
      pushAll(text);
    } catch (error) {
      assert.instance(error, SendError);
      return (error as SendError).message;
    }
    throw new Error('it was taken');
  };
  assert.match(refusal('Welcome\n'), /printed "Welcome"/);
  assert.match(refusal('{"event":1}\n'), /printed/);
  const endless = refusal('y'.repeat(EVENT_LINE_BYTES_MAX + 1));
  assert.match(endless, /printed "yyy/);
  assert.ok(endless.length < 300, endless);
});

test.run();
