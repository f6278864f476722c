/** The file that remembers how far kept streams reach, and what receivers say. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cursorFile, readCursor, writeCursor } from '../../../src/bridges/send/cursor.js';
import { EVENT_LINE_BYTES_MAX } from '../../../src/bridges/send/limits.js';
import { type ReceiverEvent, ReceiverEvents } from '../../../src/bridges/send/receiver-events.js';
import { withFolder } from '../../support/mount.js';

const PLACE = { epoch: 1, offset: 2 ** 52, index: 41 };

test('the cursor is in the state directory of the user', () => {
  assert.is(cursorFile({ XDG_STATE_HOME: '/s', HOME: '/h' }, 'ab', 3), '/s/feedfs/send/ab-3.json');
  assert.is(cursorFile({ HOME: '/h' }, 'ab', 3), '/h/.local/state/feedfs/send/ab-3.json');
  assert.is(
    cursorFile({ XDG_STATE_HOME: 's', HOME: '/h' }, 'ab', 3),
    '/h/.local/state/feedfs/send/ab-3.json',
  );
});

test('what was written is read, and it replaces what was there', () =>
  withFolder((folder) => {
    const file = cursorFile({ XDG_STATE_HOME: join(folder, 'deep', 'state') }, 'ab', 3);
    assert.is(readCursor(file, 'ab', 3), undefined);
    writeCursor(file, 'ab', 3, { ...PLACE, index: 1 });
    writeCursor(file, 'ab', 3, PLACE);
    assert.equal(readCursor(file, 'ab', 3), PLACE);
    assert.equal(fs.readdirSync(join(file, '..')), ['ab-3.json']);
    assert.is(fs.statSync(file).mode & 0o777, 0o600);
  }));

test('a cursor that is none is not guessed at', () =>
  withFolder((folder) => {
    const file = join(folder, 'c.json');
    writeCursor(file, 'ab', 3, PLACE);
    assert.throws(() => readCursor(file, 'ab', 4), /of another feed.*remove it/);
    const good = fs.readFileSync(file, 'utf8');
    for (const bad of [
      '',
      '{',
      '[]',
      '{"version":2}',
      good.replace('"41"', '"-41"'),
      'x'.repeat(100_000),
    ]) {
      fs.writeFileSync(file, bad);
      assert.throws(() => readCursor(file, 'ab', 3), /cannot be used/, bad.slice(0, 20));
    }
  }));

const HELLO =
  '{"event":"hello","target":"directory","copy":{"filesystem":"ab","feed":3,"baseline":"complete","epoch":1,"offset":"4503599627370496","index":"41"}}';
const CONFIRMED = '{"event":"confirmed","epoch":1,"offset":"4503599627370496","index":"41"}';

function events(text: string, chunk: number): ReceiverEvent[] {
  const bytes = Buffer.from(text);
  const reader = new ReceiverEvents();
  const found: ReceiverEvent[] = [];
  for (let at = 0; at < bytes.length; at += chunk) {
    found.push(...reader.push(bytes.subarray(at, at + chunk)));
  }
  return found;
}

test('what a receiver says is understood, however it comes', () => {
  const text = `${HELLO}\n{"event":"progress","files":1}\n\n${CONFIRMED}\n{"event":"hello","copy":null}\n`;
  const copy = { filesystem: 'ab', feed: 3, baseline: 'complete', place: PLACE } as const;
  for (const chunk of [1, 10, text.length]) {
    assert.equal(events(text, chunk), [
      { event: 'hello', copy },
      { event: 'other', json: { event: 'progress', files: 1 } },
      { event: 'confirmed', place: PLACE },
      { event: 'hello', copy: null },
    ]);
  }
});

test('what no receiver says is refused', () => {
  const bad = [
    'Welcome to host\n',
    '[]\n',
    '{"event":1}\n',
    '{"event":"confirmed"}\n',
    CONFIRMED.replace('"41"', '41').concat('\n'),
    HELLO.replace('complete', 'half').concat('\n'),
    HELLO.replace('"feed":3', '"feed":"x"').concat('\n'),
    '{'.repeat(EVENT_LINE_BYTES_MAX + 1),
  ];
  for (const text of bad) {
    assert.throws(
      () => events(text, text.length),
      /must be that of feedfs receive/,
      text.slice(0, 50),
    );
  }
});

test.run();
