/** Requests with a place for their answer, over a wire and back. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../../src/base/assert.js';
import { FIRST_FID, type Fid, ROOT_FID } from '../../../src/base/fid.js';
import { nameFromText } from '../../../src/base/name.js';
import { Inode } from '../../../src/mds/inode.js';
import type { DirectoryEntry, Method, RequestOf, ResultOf } from '../../../src/rpc/messages.js';
import type { Answer, Payload, Xid } from '../../../src/rpc/session.js';
import { decodeAnswer, encodeAnswer } from '../../../src/rpc/socket/answer.js';
import { clientRequest } from '../../../src/rpc/socket/client-request.js';
import { decodePayload } from '../../../src/rpc/socket/payload.js';
import { serverRequest } from '../../../src/rpc/socket/server-request.js';
import { WireError } from '../../../src/rpc/socket/wire-error.js';

type Serve<M extends Method> = (request: RequestOf<M>) => ResultOf<M>;

/** The server's part of one call, through bytes both ways. */
function served<M extends Method>(
  payload: Payload<M>,
  serve: Serve<M>,
): { answer: Answer<M>; entries: readonly Fid[] } {
  const asked = serverRequest(decodePayload(payload.bytes) as Payload<M>);
  const result = asked.finish(serve(asked.request));
  const answer: Answer<M> = {
    kind: 'answer',
    xid: 1 as Xid,
    method: payload.method,
    errno: 0,
    result,
    committed: 0,
    receipt: undefined,
    capability: undefined,
    uncached: [],
    exclusive: undefined,
  };
  const read = decodeAnswer(encodeAnswer(answer as Answer)) as Answer<M>;
  return { answer: read, entries: asked.entries() };
}

/** A whole call: its result, and how many messages it took. */
function call<M extends Method>(method: M, request: RequestOf<M>, serve: Serve<M>) {
  const sent = clientRequest(method, request);
  const granted: Fid[] = [];
  let messages = 0;
  for (let payload: Payload<M> = sent.payload; ; ) {
    const { answer, entries } = served(payload, serve);
    const taken = sent.take(answer.errno, answer.result);
    messages++;
    assert.equal(taken.entries, entries, 'both sides know the same entries');
    granted.push(...taken.entries);
    if (taken.again === undefined) return { result: taken.result, messages, granted };
    payload = taken.again;
  }
}

const time = { sec: 5, nsec: 6 };

/** A directory of that many entries, as a server lists it: with one object for all attributes. */
function lister(count: number, requests: RequestOf<'readdir'>[] = []): Serve<'readdir'> {
  const shared = new Inode(FIRST_FID, 0o100644, time);
  return (request) => {
    requests.push(request);
    for (let cookie = request.cookie; cookie < count; cookie++) {
      shared.size = cookie;
      const attributes = request.attributes
        ? Object.assign(shared, { fid: FIRST_FID + cookie })
        : undefined;
      const entry: DirectoryEntry = {
        name: `entry ${cookie}`,
        fid: (FIRST_FID + cookie) as Fid,
        type: 8,
        cookie: cookie + 1,
        attributes,
      };
      if (!request.each(entry)) return undefined;
    }
    return undefined;
  };
}

test('a listing gives what the server has, in as many calls as it takes', () => {
  fc.assert(
    fc.property(fc.nat(3_000), fc.boolean(), (count, attributes) => {
      const seen: DirectoryEntry[] = [];
      const each = (entry: DirectoryEntry): boolean => seen.push(entry) > 0;
      const { messages, granted } = call(
        'readdir',
        { fid: ROOT_FID, cookie: 0, attributes, each },
        lister(count),
      );
      assert.equal(
        seen.map(({ cookie }) => cookie),
        Array.from({ length: count }, (_, i) => i + 1),
      );
      if (attributes) {
        assert.equal(
          seen.map((entry) => entry.attributes?.size),
          Array.from({ length: count }, (_, i) => i),
        );
        assert.is(granted.length, count);
      } else {
        assert.equal(granted, []);
      }
      assert.ok(messages <= 2 + count / 256, `${messages} messages for ${count} entries`);
    }),
    { numRuns: 30 },
  );
});

test('a listing ends where the kernel has no more room, and is not asked for further', () => {
  const requests: RequestOf<'readdir'>[] = [];
  const seen: number[] = [];
  const each = ({ cookie }: DirectoryEntry): boolean => seen.push(cookie) < 40;
  const request = { fid: ROOT_FID, cookie: 7, attributes: false, each };
  const { messages } = call('readdir', request, lister(1_000, requests));
  assert.is(messages, 1);
  assert.is(seen.length, 40);
  assert.equal([requests[0]?.cookie, seen[0]], [7, 8]);
});

test('a server that promises more and gives nothing is not asked for ever', () => {
  const sent = clientRequest('readdir', {
    fid: ROOT_FID,
    cookie: 0,
    attributes: false,
    each: () => true,
  });
  assert.is(sent.take(0, { entries: [], more: true }).again, undefined);
  assert.is(sent.take(2, undefined).again, undefined);
});

test('bytes of a feed come into the buffer of who asks', () => {
  const into = Buffer.alloc(10, '.');
  const { result } = call(
    'feedNext',
    { id: 1, view: 'stream', epoch: 0, cursor: 5, into },
    (request) => {
      assert.is(request.into.length, 10);
      request.into.set(Buffer.from('bytes'));
      return { length: 5, cursor: 10, gone: false, damaged: false };
    },
  );
  assert.equal(result, { length: 5, cursor: 10, gone: false, damaged: false });
  assert.is(into.toString(), 'bytes.....');
});

test('so do those of changelogs, watches and baselines', () => {
  const fill = ({ into }: { into: Uint8Array }): number => into.fill(7).length;
  const into = Buffer.alloc(4);
  const by = { uid: 0, gid: 0, groups: [], privileged: true };
  const changelog = { id: 1, index: 1, types: 1, lnetNid: false, into };
  const read = call('changelogNext', changelog, (request) => {
    return { length: fill(request), index: 2, state: 'more' };
  });
  assert.equal(read.result, { length: 4, index: 2, state: 'more' });
  const watched = call('watchNext', { id: 1, by, into }, (request) => ({ length: fill(request) }));
  assert.equal(watched.result, { length: 4 });
  const baseline = call('baselineNext', { id: 1, into }, (request) => ({ length: fill(request) }));
  assert.equal(baseline.result, { length: 4 });
  assert.equal([...into], [7, 7, 7, 7]);
});

test('an answer that is longer than its place is refused', () => {
  const into = Buffer.alloc(4, 1);
  const sent = clientRequest('baselineNext', { id: 1, into });
  const tooMuch = { bytes: Buffer.alloc(5) };
  assert.throws(
    () => sent.take(0, tooMuch),
    (error: unknown) => error instanceof WireError,
  );
  assert.equal([...into], [1, 1, 1, 1]);
  assert.equal(sent.take(11, undefined).result, undefined);
});

test("a server's own object is sent as the attributes that it has", () => {
  const inode = new Inode(FIRST_FID, 0o100644, time);
  Object.assign(inode, { size: 77, layout: 'inline', generation: 3, atime: { sec: 9, nsec: 0 } });
  const { result } = call('getattr', { fid: FIRST_FID }, () => inode);
  assert.equal(must(result, 'attributes'), {
    fid: FIRST_FID,
    mode: 0o100644,
    nlink: 1,
    uid: 0,
    gid: 0,
    rdev: 0,
    size: 77,
    blocks: 0,
    atime: { sec: 9, nsec: 0 },
    mtime: time,
    ctime: time,
    layout: 'inline',
    generation: 3,
  });
});

test('what has no place is passed on as it is', () => {
  const name = nameFromText('name');
  const { result } = call('lookup', { parent: ROOT_FID, name }, (request) => {
    assert.equal(request, { parent: ROOT_FID, name });
    return new Inode(FIRST_FID, 0o40755, time);
  });
  assert.is(result?.fid, FIRST_FID);
});

test.run();
