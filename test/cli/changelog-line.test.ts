/** What `feedfs changelog` prints: Lustre's text line, field for field. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatChangelog } from '../../src/cli/changelog-line.js';
import type { ChangelogRecord } from '../../src/feed/encodings/changelog-decode.js';
import { parseNid } from '../../src/feed/encodings/changelog-nid.js';

const FID = '[0x200000401:0x3:0x0]';
const ROOT = '[0x200000007:0x1:0x0]';

const PLAIN: ChangelogRecord = {
  index: 7n,
  type: 1,
  flags: 0,
  time: { sec: 1_767_348_001, nsec: 5 },
  target: FID,
  parent: ROOT,
  name: 'b',
  source: undefined,
  jobid: 'mv.0',
  extra: 0x3,
  owner: { uid: 0n, gid: 0n },
  nid: parseNid('10.0.0.1@tcp'),
  openFlags: undefined,
  xattr: undefined,
};
const OF_OBJECT = { ...PLAIN, parent: undefined, name: '' };
const TIME = '10:00:01.000000005 2026.01.02';
const AUTHOR = `t=${FID} j=mv.0 ef=0x3 u=0:0 nid=10.0.0.1@tcp`;

test('a rename has every field of names', () => {
  const source = { fid: '[0x200000401:0x2:0x0]', parent: ROOT, name: 'a' };
  assert.is(
    formatChangelog({ ...PLAIN, type: 8, flags: 1, extra: 0xf, source }),
    `7 08RENME ${TIME} 0x1 t=${FID} j=mv.0 ef=0xf u=0:0 nid=10.0.0.1@tcp p=${ROOT} b s=[0x200000401:0x2:0x0] sp=${ROOT} a`,
  );
});

test('the type has two digits and is padded to five letters', () => {
  assert.is(formatChangelog(PLAIN), `7 01CREAT ${TIME} 0x0 ${AUTHOR} p=${ROOT} b`);
  assert.is(formatChangelog({ ...OF_OBJECT, type: 10 }), `7 10OPEN  ${TIME} 0x0 ${AUTHOR}`);
  assert.is(formatChangelog({ ...OF_OBJECT, type: 24 }), `7 24NOPEN ${TIME} 0x0 ${AUTHOR}`);
  assert.is(formatChangelog({ ...OF_OBJECT, type: 99 }), `7 99      ${TIME} 0x0 ${AUTHOR}`);
});

test('open modes and names of attributes', () => {
  const modes: readonly (readonly [number, string])[] = [
    [0x1, ' m=r--'],
    [0x2, ' m=-w-'],
    [0x843, ' m=rw-'],
    [0x5, ' m=--x'],
    [0x40, ''],
  ];
  for (const [openFlags, text] of modes) {
    const line = formatChangelog({ ...OF_OBJECT, type: 10, openFlags });
    assert.is(line, `7 10OPEN  ${TIME} 0x0 ${AUTHOR}${text}`);
  }
  const line = formatChangelog({ ...OF_OBJECT, type: 15, xattr: 'user.k' });
  assert.is(line, `7 15XATTR ${TIME} 0x0 ${AUTHOR} x=user.k`);
});

test('what a record has not is not printed', () => {
  const bare = { jobid: undefined, extra: undefined, owner: undefined, nid: undefined };
  const mark = { ...OF_OBJECT, ...bare, type: 0, target: '[0x40000:0x0:0x0]' };
  assert.is(formatChangelog(mark), `7 00MARK  ${TIME} 0x0 t=[0x40000:0x0:0x0]`);
});

test('names are as they are, unless they would act on a terminal', () => {
  const text = (name: string) => formatChangelog({ ...PLAIN, name }).split(`${ROOT} `)[1];
  assert.is(text('two words'), 'two words');
  assert.is(text(Buffer.from('grün').toString('latin1')), 'grün');
  assert.is(text('a\nb\x1b[2J\xff'), 'a\\x0ab\\x1b[2J\\xff');
});

test.run();
