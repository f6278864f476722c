/** Filters as text: what they say, what is refused and why, and the one text of each. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno, FsError } from '../../src/base/errno.js';
import { asksForAccesses, EVERY_CHANGE, formatFilter, parseFilter } from '../../src/feed/filter.js';
import { arbitraryFilterJson } from '../support/arbitrary-filter.js';

const FORMS: readonly (readonly [text: string, formatted: string])[] = [
  ['', ''],
  [' \n', ''],
  ['{}', ''],
  ['{"not":{}}', ''],
  ['{"ops":"changes"}', ''],
  ['{"ops":["write","create"]}', '{"ops":["create","write"]}'],
  ['{"ops":["create"]}', '{"ops":"create"}'],
  ['{"ops":["open","create","create"]}', '{"ops":["create","open"]}'],
  ['{"ops":["open","close","denied","getxattr"]}', '{"ops":"accesses"}'],
  ['{"ops":["accesses","changes"]}', '{"ops":["changes","accesses"]}'],
  ['{"ops":["denied","changes"]}', '{"ops":["changes","denied"]}'],
  ['{"uid":0}\n', '{"uid":0}'],
  ['{"uid":[1000,-0,1000,5]}', '{"uid":[0,5,1000]}'],
  ['{"gid":[7]}', '{"gid":7}'],
  ['{"name":["*.jpg","*.png","*.jpg"]}', '{"name":["*.jpg","*.png"]}'],
  ['{"name":"\\u00e9"}', '{"name":"é"}'],
  ['{"name":{"base64":"/w=="}}', '{"name":{"base64":"/w=="}}'],
  ['{"name":{"base64":"w6k="}}', '{"name":"é"}'],
  ['{"subtree":"0x200000401:0x2:0x0"}', '{"subtree":"[0x200000401:0x2:0x0]"}'],
  ['{"subtree":"[0x200000007:0x1:0x0]"}', '{"subtree":"[0x200000007:0x1:0x0]"}'],
  ['{"not":{"ops":"setattr","name":"*.tmp"}}', '{"not":{"ops":"setattr","name":"*.tmp"}}'],
  [
    '{"not":{"uid":0},"name":"a","subtree":"[0x200000401:0x2:0x0]","ops":"write","uid":[0,1]}',
    '{"ops":"write","uid":[0,1],"name":"a","subtree":"[0x200000401:0x2:0x0]","not":{"uid":0}}',
  ],
];

test('the one text of each filter', () => {
  for (const [text, formatted] of FORMS) {
    assert.is(formatFilter(parseFilter(text)), formatted, text);
  }
  assert.equal(parseFilter(''), EVERY_CHANGE);
});

const REFUSED: readonly (readonly [text: string, reason: RegExp])[] = [
  ['{', /filter: is not JSON/],
  ['{"uid":1', /is not JSON, or came in more than one write/],
  ['null', /is null, not a JSON object/],
  ['[]', /is a list, not a JSON object/],
  ['"x"', /not a JSON object/],
  ['{"path":"/x"}', /unknown member "path"; known: ops, uid, gid, name, subtree, not/],
  ['{"__proto__":1}', /unknown member "__proto__"/],
  ['{"constructor":1}', /unknown member "constructor"/],
  ['{"uid":1,"uid":2}', /has "uid" twice/],
  ['{"uid":1,"u\\u0069d" :2}', /has "uid" twice/],
  ['{"not":{"name":"a","name":"b"}}', /has "name" twice/],
  ['{"ops":[]}', /ops is an empty list; leave it out/],
  ['{"ops":"chmod"}', /ops is "chmod", which is no operation; known: changes, accesses, create/],
  ['{"ops":["create",7]}', /ops\[1\] is 7, which is no operation/],
  ['{"ops":"toString"}', /no operation/],
  ['{"ops":"lost"}', /always passes/],
  ['{"ops":null}', /ops is null, which is no operation/],
  ['{"ops":"accesses","not":{"ops":"accesses"}}', /not\.ops leaves no operation over/],
  ['{"not":{"ops":"changes"}}', /not\.ops leaves no operation over/],
  ['{"uid":"root"}', /uid is "root", not a number from 0/],
  ['{"uid":-1}', /uid is -1/],
  ['{"uid":1.5}', /uid is 1\.5/],
  ['{"uid":4294967295}', /to 4294967294/],
  ['{"uid":[1,[2]]}', /uid\[1\] is a list/],
  ['{"gid":[]}', /gid is an empty list/],
  ['{"uid":[1,2],"not":{"uid":[3,2,1]}}', /not\.uid leaves nobody of uid over/],
  [
    `{"uid":[${Array.from({ length: 1025 }, (_, i) => i)}]}`,
    /uid has 1025 entries, more than 1024/,
  ],
  ['{"name":[]}', /name is an empty list/],
  ['{"name":7}', /name is 7, not a pattern/],
  ['{"name":"a/b"}', /name has a slash/],
  ['{"name":["a","[b"]}', /name\[1\] has a \[ without its \]/],
  ['{"name":"\\ud800"}', /not a pattern/],
  ['{"name":"\ufffd"}', /is not UTF-8/],
  ['{"name":"*","not":{"name":["x","*"]}}', /not\.name leaves no name over/],
  ['{"not":{"name":"**"}}', /not\.name leaves no name over/],
  ['{"name":["a","b"],"not":{"name":["b","a"]}}', /not\.name leaves no name over/],
  [`{"name":[${Array.from({ length: 65 }, (_, i) => `"n${i}"`)}]}`, /65 entries, more than 64/],
  [
    `{"name":[${Array.from({ length: 20 }, (_, i) => `"${i}${'x'.repeat(200)}"`)}]}`,
    /bytes of patterns, more than 2048/,
  ],
  ['{"subtree":7}', /subtree is 7, not a FID/],
  ['{"subtree":"/home"}', /subtree is "\/home", not a FID/],
  ['{"subtree":"[0x200000002:0x1:0x0]"}', /control directory/],
  ['{"not":7}', /not is 7, not an object/],
  ['{"not":["uid"]}', /not an object/],
  ['{"not":{"subtree":"[0x200000401:0x2:0x0]"}}', /not has an unknown member "subtree"/],
  ['{"not":{"not":{}}}', /not has an unknown member "not"/],
  [`{"name":"a"}${' '.repeat(65_536)}`, /longer than 65536 bytes/],
  ['['.repeat(60_000), /is not JSON/],
  [`{"uid":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, /uid\[0\] is a list/],
];

test('what is refused says where, why and what to do', () => {
  for (const [text, reason] of REFUSED) {
    const refusal = refusalOf(text);
    assert.is(refusal.errno, Errno.EINVAL);
    assert.match(refusal.message, reason);
    assert.ok(refusal.message.length < 400 && !/[^ -~…]/.test(refusal.message), text.slice(0, 50));
  }
});

function refusalOf(text: string): FsError {
  try {
    parseFilter(text);
  } catch (error) {
    if (error instanceof FsError) return error;
    throw error;
  }
  throw new Error(`accepted: ${text.slice(0, 100)}`);
}

/** Undefined for a filter that contradicts itself. */
function accepted(text: string): ReturnType<typeof parseFilter> | undefined {
  try {
    return parseFilter(text);
  } catch (error) {
    if (error instanceof FsError && /leaves no/.test(error.message)) return undefined;
    throw error;
  }
}

test('formatting and parsing give the same filter', () => {
  let count = 0;
  fc.assert(
    fc.property(arbitraryFilterJson, (json) => {
      const filter = accepted(JSON.stringify(json));
      if (filter === undefined) return;
      count++;
      const text = formatFilter(filter);
      assert.equal(parseFilter(text), filter);
      assert.is(formatFilter(parseFilter(text)), text);
    }),
    { numRuns: 2000 },
  );
  assert.ok(count > 500, `only ${count} filters were accepted`);
});

test('any text is a filter or refused with EINVAL, never anything else', () => {
  const json = fc.oneof(
    fc.json(),
    fc.string(),
    arbitraryFilterJson.map((f) => JSON.stringify(f)),
  );
  fc.assert(
    fc.property(json, fc.nat(40), (text, cut) => {
      for (const tried of [text, text.slice(0, text.length - cut)]) {
        try {
          parseFilter(tried);
        } catch (error) {
          if (!(error instanceof FsError) || error.errno !== Errno.EINVAL) throw error;
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test('whether a filter asks for access records', () => {
  assert.not(asksForAccesses(EVERY_CHANGE));
  assert.not(asksForAccesses(parseFilter('{"ops":["accesses","write"],"not":{"ops":"accesses"}}')));
  assert.ok(asksForAccesses(parseFilter('{"ops":"denied"}')));
  assert.ok(asksForAccesses(parseFilter('{"ops":["changes","accesses"],"not":{"ops":"open"}}')));
});

test.run();
