/** What a stranger may send is refused with a WireError and nothing else, before anything is set aside for it. */
import fc from 'fast-check';
import { pack } from 'msgpackr';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../../src/base/errno.js';
import { FIRST_FID, type Fid, ROOT_FID } from '../../../src/base/fid.js';
import { nameFromText } from '../../../src/base/name.js';
import { MESSAGE_BYTES_MAX } from '../../../src/rpc/limits.js';
import type { Answer, Xid } from '../../../src/rpc/session.js';
import { decodeAnswer, encodeAnswer } from '../../../src/rpc/socket/answer.js';
import { writeFrame } from '../../../src/rpc/socket/frame.js';
import {
  clientMessages,
  type MessageCodec,
  serverMessages,
} from '../../../src/rpc/socket/messages.js';
import { METHOD_NAMES, methodNumber } from '../../../src/rpc/socket/methods/table.js';
import { decodePayload, encodePayload } from '../../../src/rpc/socket/payload.js';
import { WireError } from '../../../src/rpc/socket/wire-error.js';
import { scratchWriter, Writer } from '../../../src/rpc/socket/writer.js';
import { answerTo, clientMessage, serverMessage } from './support/session.js';

function encoded<T>(codec: MessageCodec<T>, message: T): Buffer {
  const out = scratchWriter();
  codec.write(out, message);
  return Buffer.from(out.view());
}

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

const DECODERS: readonly ((bytes: Buffer) => unknown)[] = [
  (bytes) => clientMessages.decode(bytes),
  (bytes) => serverMessages.decode(bytes),
  decodePayload,
  decodeAnswer,
];

test('random bytes are never anything but refused or read', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const decode of DECODERS) refused(() => decode(Buffer.from(bytes)));
    }),
    { numRuns: 3_000 },
  );
});

test('random values in MessagePack, too', () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: false }), fc.nat(255), (value, number) => {
      let bytes: Buffer;
      try {
        bytes = pack([number, value]);
      } catch {
        return;
      }
      for (const decode of DECODERS) refused(() => decode(bytes));
    }),
    { numRuns: 2_000 },
  );
});

for (const [side, codec, arbitrary] of [
  ['client', clientMessages, clientMessage],
  ['server', serverMessages, serverMessage],
] as const) {
  test(`flipped bits in a message of a ${side} are refused, or lead to another message that is whole`, () => {
    fc.assert(
      fc.property(
        arbitrary as fc.Arbitrary<never>,
        fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
        (message, flips) => {
          const bytes = encoded(codec as MessageCodec<unknown>, message);
          for (const flip of flips) {
            const at = Math.floor(flip / 8) % bytes.length;
            bytes[at] = (bytes[at] ?? 0) ^ (1 << (flip % 8));
          }
          refused(() => {
            const read = codec.decode(bytes);
            // What was read can be said again: it is within all limits.
            encoded(codec as MessageCodec<unknown>, read);
          });
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test(`a message of a ${side} that is cut short, or longer, is refused`, () => {
    fc.assert(
      fc.property(arbitrary as fc.Arbitrary<never>, fc.nat(), (message, cut) => {
        const bytes = encoded(codec as MessageCodec<unknown>, message);
        assert.ok(refused(() => codec.decode(bytes.subarray(0, cut % bytes.length))));
        assert.ok(refused(() => codec.decode(Buffer.concat([bytes, Buffer.from([0xc0])]))));
      }),
      { numRuns: 1_000 },
    );
  });
}

test('a list that claims to be huge is refused by its claim', () => {
  for (const head of [
    [0xdd, 0xff, 0xff, 0xff, 0xff],
    [0xdc, 0xff, 0xff],
    [0xdf, 0xff, 0xff, 0xff, 0xff],
  ]) {
    // Of `released`: a list of FIDs; and of `places`.
    assert.ok(refused(() => clientMessages.decode(Buffer.from([0x92, 10, ...head]))));
    const places = Buffer.from([0x92, methodNumber('places'), 0x91, ...head]);
    assert.ok(refused(() => decodePayload(places)));
  }
});

test('bytes that claim to be long are refused by their claim', () => {
  const bomb = [0x92, methodNumber('lookup'), 0x92, 1, 0xc6, 0xff, 0xff, 0xff, 0xff];
  assert.throws(() => decodePayload(Buffer.from(bomb)), /4294967295 bytes claimed/);
});

test('lists within lists without end are refused at the first that is not expected', () => {
  const deep = Buffer.alloc(MESSAGE_BYTES_MAX, 0x91);
  for (const decode of DECODERS) assert.ok(refused(() => decode(deep)));
});

test('maps, extensions, timestamps and floats are nowhere expected', () => {
  for (const value of [{ fid: 1 }, new Date(0), new Set([1]), 1.5, 'x', -1, null, []]) {
    const bytes = pack([methodNumber('getattr'), [value]]);
    assert.ok(
      refused(() => decodePayload(bytes)),
      String(value),
    );
  }
  assert.equal(decodePayload(pack([methodNumber('getattr'), [1]])).request, { fid: 1 });
});

test('what is no FID is neither sent nor taken', () => {
  for (const bad of [0, 2, 131_072, 262_144, 2 ** 52 + 2 ** 33, 1.5, Number.NaN, -1]) {
    assert.ok(
      refused(() => encodePayload('getattr', { fid: bad as Fid })),
      `${bad}`,
    );
  }
  for (const bad of [0, 2, 131_072, 262_144]) {
    assert.ok(
      refused(() => decodePayload(pack([methodNumber('getattr'), [bad]]))),
      `${bad}`,
    );
  }
});

test('values out of range are not sent', () => {
  const name = nameFromText('x');
  const sends: readonly (() => unknown)[] = [
    () => encodePayload('lookup', { parent: ROOT_FID, name: nameFromText('x'.repeat(1_025)) }),
    () => encodePayload('lookup', { parent: ROOT_FID, name: '\u0100' as typeof name }),
    () => encodePayload('open', { fid: ROOT_FID, uid: 2 ** 32 }),
    () => encodePayload('accessed', { fid: ROOT_FID, atime: { sec: 0, nsec: 1e9 } }),
    () => encodePayload('dataRead', { fid: ROOT_FID, offset: 2 ** 53, length: 1 }),
    () => encodePayload('dataRead', { fid: ROOT_FID, offset: 0, length: 2 ** 20 + 1 }),
    () => encodePayload('feedSetText', { id: 1, file: 'filter', text: 'x'.repeat(2 ** 18 + 1) }),
    () => encodePayload('fileLockRelease', { fid: ROOT_FID, owner: 2n ** 64n, flock: false }),
    () => encodePayload('fileLockRelease', { fid: ROOT_FID, owner: -1n, flock: false }),
  ];
  for (const send of sends) assert.ok(refused(send), send.toString());
});

test('every method has an answer without a result', () => {
  for (const method of METHOD_NAMES) {
    const [sample] = fc.sample(answerTo(method), 1);
    assert.ok(sample !== undefined);
    const answer = { ...sample, errno: 0 as const, result: undefined };
    assert.equal(decodeAnswer(encodeAnswer(answer)), answer, method);
  }
});

test('a result that no message has room for is refused to the client, and the server goes on', () => {
  const name = 'x'.repeat(255);
  const places = Array.from({ length: 20_000 }, () => ({ parent: ROOT_FID, name }));
  const answer: Answer<'places'> = {
    kind: 'answer',
    xid: 5 as Xid,
    method: 'places',
    errno: 0,
    result: [{ fid: FIRST_FID, mode: 0o100644, places }],
    committed: 9,
    receipt: undefined,
    capability: undefined,
    uncached: [],
    exclusive: undefined,
  };
  for (const max of [MESSAGE_BYTES_MAX, 2 * MESSAGE_BYTES_MAX]) {
    const out = new Writer(100, max);
    writeFrame(out, serverMessages, { kind: 'committed', transno: 1 });
    const start = out.length;
    writeFrame(out, serverMessages, answer as Answer);
    assert.equal(serverMessages.decode(out.view(start + 12)), {
      ...answer,
      errno: Errno.EOVERFLOW,
      result: undefined,
    });
  }
});

test('a message that cannot be said leaves nothing in the stream', () => {
  const out = scratchWriter();
  writeFrame(out, serverMessages, { kind: 'committed', transno: 1 });
  const length = out.length;
  assert.ok(refused(() => writeFrame(out, serverMessages, { kind: 'committed', transno: -1 })));
  assert.is(out.length, length);
});

test.run();
