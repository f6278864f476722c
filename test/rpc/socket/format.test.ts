/** FORMAT.md: its example is what is sent, and its tables number the messages as they are numbered. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { unpack } from 'msgpackr';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fid } from '../../../src/base/fid.js';
import { FrameReader, writeFrame } from '../../../src/rpc/socket/frame.js';
import {
  clientMessages,
  type MessageCodec,
  serverMessages,
} from '../../../src/rpc/socket/messages.js';
import { scratchWriter } from '../../../src/rpc/socket/writer.js';
import { projectRoot } from '../../support/project-root.js';
import { clientMessage, serverMessage } from './support/session.js';

const FORMAT = fs.readFileSync(join(projectRoot(), 'src/rpc/socket/FORMAT.md'), 'utf8');

/** The bytes of the block of that name. */
function example(name: string): Buffer {
  const block = new RegExp(`\`\`\`${name}\n(.*?)\n\`\`\``, 's').exec(FORMAT);
  const lines = (block?.[1] ?? '').split('\n');
  return Buffer.from(lines.map((line) => line.slice(6, 53).replaceAll(' ', '')).join(''), 'hex');
}

/** Decodes the example, and sees that what is decoded is encoded so. */
function decoded<T>(name: string, codec: MessageCodec<T>): T {
  const frames = new FrameReader();
  frames.push(example(name));
  const body = frames.next();
  assert.ok(body !== undefined);
  assert.is(frames.length, 0);
  const message = codec.decode(body);
  const out = scratchWriter();
  writeFrame(out, codec, message);
  assert.equal(out.view(), example(name));
  return message;
}

test('the call', () => {
  const message = decoded('call', clientMessages);
  assert.ok(message.kind === 'call');
  const { bytes, ...payload } = message.payload;
  assert.is(bytes.length, 11);
  assert.equal(
    { ...message, payload },
    {
      kind: 'call',
      xid: 7,
      slot: undefined,
      resent: false,
      payload: { method: 'lookup', request: { parent: 1, name: 'notes' } },
    },
  );
});

test('the answer', () => {
  const time = { sec: 1_700_000_000, nsec: 0 };
  assert.equal(decoded('answer', serverMessages), {
    kind: 'answer',
    xid: 7,
    method: 'lookup',
    errno: 0,
    result: {
      fid: 131_073 as Fid,
      mode: 0o100644,
      nlink: 1,
      uid: 1_000,
      gid: 1_000,
      rdev: 0,
      size: 4_096,
      blocks: 8,
      atime: time,
      mtime: time,
      ctime: time,
      layout: 'inline',
      generation: 0,
    },
    committed: 41,
    receipt: undefined,
    capability: undefined,
    uncached: [],
    exclusive: undefined,
  });
});

/** What the table under a heading says: name and number. */
function table(heading: string): Record<string, number> {
  const from = FORMAT.indexOf(`${heading}\n`);
  const text = FORMAT.slice(from, FORMAT.indexOf('\n#', from + 1));
  const rows = [...text.matchAll(/^\| +([0-9]+) \| `([a-z-]+)` /gm)];
  return Object.fromEntries(rows.map(([, number, name]) => [name, Number(number)]));
}

test('the numbers of the messages', () => {
  const sides: readonly [string, MessageCodec<never>, fc.Arbitrary<{ kind: string }>, number][] = [
    ['### From a mount', clientMessages as MessageCodec<never>, clientMessage, 12],
    ['### From a server', serverMessages as MessageCodec<never>, serverMessage, 14],
  ];
  for (const [heading, codec, messages, count] of sides) {
    const numbers: Record<string, number> = {};
    for (const message of fc.sample(messages, 600)) {
      const out = scratchWriter();
      codec.write(out, message as never);
      const [number] = unpack(out.view()) as [number];
      numbers[message.kind] = number;
    }
    assert.is(Object.keys(numbers).length, count);
    assert.equal(table(heading), numbers);
  }
});

test.run();
