import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseMountinfo } from '../../src/base/mountinfo.js';
import { formatAge, formatBytes, formatName, formatRecord } from '../../src/cli/format.js';
import { wrap } from '../../src/cli/help.js';
import { isWithin, mountContaining } from '../../src/cli/mounts.js';
import { table } from '../../src/cli/output.js';
import { parseRecord } from '../../src/consumer/parse.js';
import { recordLine } from '../consumer/record-line.js';

test('bytes', () => {
  const cases: [number, string][] = [
    [0, '0B'],
    [1023, '1023B'],
    [1024, '1.0K'],
    [10 * 1024, '10K'],
    [123 * 1024 * 1024, '123M'],
    [2 ** 53, '8.0P'],
  ];
  for (const [bytes, text] of cases) assert.is(formatBytes(bytes), text);
});

test('ages', () => {
  const cases: [number, string][] = [
    [-5, '0s'],
    [59.9, '59s'],
    [60, '1m'],
    [7199, '1h'],
    [86_400 * 3, '3d'],
  ];
  for (const [seconds, text] of cases) assert.is(formatAge(seconds), text);
});

test('names cannot act on a terminal', () => {
  assert.is(formatName('plain ü 文'), 'plain ü 文');
  assert.is(formatName('a\nb\u001b[2J\u009b\\'), 'a\\x0ab\\x1b[2J\\x9b\\x5c');
  assert.is(formatName(Buffer.from([0x61, 0xff, 0x0a])), 'a\\xff\\x0a');
});

function oneLine(members: Readonly<Record<string, unknown>>): string {
  const line = recordLine(12, members);
  return formatRecord(parseRecord({ line, text: { offset: 0, length: 1 } }, 'f')).replace(
    /\d\d:\d\d:\d\d/,
    'HH:MM:SS',
  );
}

test('a record is one line', () => {
  assert.is(
    oneLine({}),
    '     12 HH:MM:SS.123 create      file  [0x200000401:0x2:0x0] in [0x200000007:0x1:0x0]',
  );
  assert.match(oneLine({ op: 'rename', newParent: '[0x1:0x1:0x0]', newName: 'b' }), /file -> b/);
  assert.match(oneLine({ op: 'unlink', last: false }), /other links remain/);
  assert.match(
    oneLine({ op: 'setattr', attrs: { mode: '0100640', size: '5' } }),
    /mode 0640, size 5 /,
  );
  assert.match(oneLine({ op: 'write', extents: [{ offset: '10', length: '2048' }] }), /2.0K at 10/);
  assert.match(oneLine({ op: 'symlink', target: 'a\nb' }), /file -> a\\x0ab/);
  assert.match(
    oneLine({ op: 'setxattr', xattr: { name: 'user.a', value: 'AAA=', flags: 0 } }),
    /user.a \(2 bytes\)/,
  );
  assert.match(oneLine({ op: 'removexattr', xattr: { name: 'user.a' } }), /user.a/);
  assert.match(oneLine({ op: 'migrate' }), /migrate/);
  const access = { flags: 0o2, errno: 13, repeated: 7, directory: false };
  assert.match(oneLine({ op: 'denied', access }), /uid 0 pid 42, flags 0x2, errno 13, 7 times$/);
  const range = { firstIndex: '3', lastIndex: '9', records: '5', bytes: '800', reason: 'full' };
  assert.match(oneLine({ op: 'lost', lost: range }), /5 of records 3 to 9: full/);
});

test('tables are aligned', () => {
  const rows = [
    ['NAME', 'N'],
    ['a', '10'],
    ['longer', '5'],
  ];
  assert.equal(table(rows, new Set([1])), ['NAME     N', 'a       10', 'longer   5']);
});

test('wrap', () => {
  assert.equal(wrap('aa bb cc', 5), ['aa bb', 'cc']);
  assert.equal(wrap('toolongword x', 5), ['toolongword', 'x']);
});

const MOUNTINFO = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 22 0:50 / /mnt/a\\040b rw,nosuid - fuse.feedfs /srv/st\\303\\266re rw,user_id=0
41 40 0:51 / /mnt/a\\040b/sub rw shared:3 master:1 - tmpfs tmpfs rw
`;

test('mountinfo: octal, optional fields, the innermost mount', () => {
  const mounts = parseMountinfo(MOUNTINFO);
  assert.equal(mounts[1], {
    ...{ mountpoint: '/mnt/a b', type: 'fuse.feedfs', source: '/srv/störe' },
    ...{ device: 50, root: '/' },
  });
  assert.equal(
    mounts.map(({ device }) => device),
    [2049, 50, 51],
  );
  assert.is(mountContaining(mounts, '/mnt/a b/x')?.type, 'fuse.feedfs');
  assert.is(mountContaining(mounts, '/mnt/a b/sub/x')?.type, 'tmpfs');
  assert.is(mountContaining(mounts, '/mnt/a bc')?.type, 'ext4');
  assert.ok(isWithin('/a', '/') && isWithin('/a', '/a') && !isWithin('/ab', '/a'));
});

test.run();
