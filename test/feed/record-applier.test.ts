/** The applier of the property tests, on lines made by hand and on the examples of FORMAT.md. */
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Applier, type ReadExtent } from '../support/applier.js';
import { lgetxattr, lsetxattr, lutimens, mknod } from '../support/libc.js';
import { diffTrees, snapshotTree } from '../support/snapshot-tree.js';

const test = suite<{ dir: string }>('applier');

test.before.each((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'feedfs-test-'));
});
test.after.each((context) => {
  rmSync(context.dir, { recursive: true });
});

const ROOT = '[0x200000007:0x1:0x0]';
const [A, B, C, D] = [1, 2, 3, 4].map((oid) => `[0x200000401:0x${oid}:0x0]`) as [
  string,
  string,
  string,
  string,
];
const FILE = { mode: '0100640', uid: 5, gid: 6, nlink: 1 };
const DIRECTORY = { mode: '042750', uid: 7, gid: 8, nlink: 2 };

type Change = Readonly<Record<string, unknown>>;

/** Applies changes that happen one per second from second 1 on. */
function apply(dir: string, changes: readonly Change[], readExtent?: ReadExtent): void {
  const applier = new Applier(dir);
  changes.forEach((change, i) => {
    const time = `${i + 1}000000000`;
    applier.apply(JSON.stringify({ index: `${i + 1}`, time, attrs: {}, ...change }));
  });
  applier.finish(readExtent);
}

function made(op: string, fid: string, parent: string, name: unknown, attrs: Change): Change {
  return { op, fid, parent, name, attrs };
}

test('an object of every type, with owner, mode, time and target', ({ dir }) => {
  apply(dir, [
    made('create', A, ROOT, 'file', { ...FILE, mode: '0104755', mtime: '-1' }),
    made('mkdir', B, ROOT, 'dir', DIRECTORY),
    made('mknod', C, B, { base64: '/w==' }, { ...FILE, mode: '010600' }),
    { ...made('symlink', D, B, 'link', { ...FILE, mode: '0120777' }), target: '../gr\u00fcn' },
    made('mknod', '[0x200000401:0x5:0x0]', B, 'null', { ...FILE, mode: '020666', rdev: 0x103 }),
    made('mknod', '[0x200000401:0x6:0x0]', B, 'socket', { ...FILE, mode: '0140700' }),
  ]);
  const tree = snapshotTree(dir);
  assert.equal(Object.keys(tree).sort(), [
    '.',
    'dir',
    'dir/link',
    'dir/null',
    'dir/socket',
    'dir/\xff',
    'file',
  ]);
  const { atime: _, sha256, ...file } = tree.file ?? {};
  assert.equal(file, {
    type: 'file',
    mode: '4755',
    uid: 5,
    gid: 6,
    nlink: 1,
    mtime: '-1',
    xattrs: {},
    size: '0',
  });
  assert.is(sha256?.slice(0, 8), 'e3b0c442');
  assert.is(tree.dir?.mode, '2750');
  assert.is(tree.dir?.mtime, '6000000000', 'the time of the last entry made in it');
  assert.is(tree['.']?.mtime, '2000000000');
  assert.is(tree['dir/\xff']?.type, 'fifo');
  assert.is(tree['dir/link']?.target, '../gr\xc3\xbcn');
  assert.is(tree['dir/link']?.uid, 5);
  assert.is(tree['dir/null']?.rdev, `${0x103}`);
  assert.is(tree['dir/socket']?.type, 'socket');
});

test('links, unlinks and renames keep track of what is where', ({ dir }) => {
  apply(dir, [
    made('create', A, ROOT, 'a', FILE),
    made('mkdir', B, ROOT, 'd', DIRECTORY),
    made('link', A, B, 'again', { nlink: 2 }),
    { ...made('unlink', A, ROOT, 'a', { nlink: 1 }), last: false },
    { ...made('rename', B, ROOT, 'd', {}), newParent: ROOT, newName: 'moved' },
    made('create', C, ROOT, 'c', FILE),
    {
      ...made('rename', A, B, 'again', {}),
      newParent: ROOT,
      newName: 'c',
      over: { fid: C, attrs: { nlink: 0 }, last: true },
    },
    { ...made('rename', A, ROOT, 'c', {}), newParent: ROOT, newName: 'moved', exchanged: B },
    { ...made('rmdir', B, ROOT, 'c', { nlink: 0 }), last: true },
    made('link', A, ROOT, 'twin', { nlink: 2 }),
  ]);
  assert.equal(readdirSync(dir).sort(), ['moved', 'twin']);
  const tree = snapshotTree(dir);
  assert.is(tree.twin?.linkedTo, 'moved');
  assert.is(tree.moved?.nlink, 2);
});

test('extended attributes are set, replaced and removed', ({ dir }) => {
  const value = (text: string): string => Buffer.from(text).toString('base64');
  apply(dir, [
    made('create', A, ROOT, 'a', FILE),
    { op: 'setxattr', fid: A, xattr: { name: 'user.x', value: value('1'), flags: 1 } },
    { op: 'setxattr', fid: A, xattr: { name: 'user.x', value: value('22'), flags: 2 } },
    {
      op: 'setxattr',
      fid: A,
      xattr: { name: { base64: value('user.\xff') }, value: '', flags: 0 },
    },
    { op: 'setxattr', fid: A, xattr: { name: 'user.y', value: '', flags: 0 } },
    { op: 'removexattr', fid: A, xattr: { name: 'user.y' } },
  ]);
  assert.is(lgetxattr(Buffer.from(join(dir, 'a')), Buffer.from('user.x')).toString(), '22');
  assert.is(Object.keys(snapshotTree(dir).a?.xattrs ?? {}).length, 2);
});

test('extents are copied from the source, but not what a truncation cut off', ({ dir }) => {
  const source = Buffer.from('0123456789abcdef');
  apply(
    dir,
    [
      made('create', A, ROOT, 'a', { ...FILE, size: '0' }),
      { op: 'write', fid: A, extents: [{ offset: '0', length: '8' }], attrs: { size: '8' } },
      { op: 'setattr', fid: A, attrs: { size: '4', mtime: '77' } },
      { op: 'setattr', fid: A, attrs: { size: '12', uid: 9 } },
      {
        op: 'write',
        fid: A,
        extents: [{ offset: '10', length: '2' }],
        attrs: { size: '12', mtime: '78' },
      },
    ],
    (fid, offset, length) => (fid === A ? source.subarray(offset, offset + length) : undefined),
  );
  assert.is(readFileSync(join(dir, 'a'), 'latin1'), '0123\0\0\0\0\0\0ab');
  assert.is(lstatSync(join(dir, 'a'), { bigint: true }).mtimeNs, 78n);
  assert.is(lstatSync(join(dir, 'a')).uid, 9);
});

test('records about a file that has no name any more do no harm', ({ dir }) => {
  apply(dir, [
    made('create', A, ROOT, 'a', FILE),
    { ...made('unlink', A, ROOT, 'a', { nlink: 0 }), last: true },
    { op: 'write', fid: A, extents: [{ offset: '0', length: '8' }], attrs: { size: '8' } },
    { op: 'setattr', fid: A, attrs: { mode: '0100600' } },
  ]);
  assert.equal(readdirSync(dir), []);
});

test('accesses are passed over; what was lost ends it', ({ dir }) => {
  const access = { flags: 0, errno: 0, repeated: 0, directory: false };
  const lines = [made('create', A, ROOT, 'a', FILE), { op: 'open', fid: A, access }];
  apply(dir, lines);
  assert.equal(readdirSync(dir), ['a']);
  assert.throws(() => apply(dir, [{ op: 'lost', fid: ROOT }]), /unknown operation/);
});

test('a feed that contradicts itself is refused', ({ dir }) => {
  const create = made('create', A, ROOT, 'a', FILE);
  const refused = (changes: Change[], message: RegExp): void => {
    const inner = mkdtempSync(join(dir, 'x'));
    assert.throws(() => apply(inner, changes), message);
  };
  refused([create, { ...create, fid: B }], /EEXIST/);
  refused([create, { ...create, name: 'b' }], /taken/);
  refused([{ op: 'setattr', fid: B }], /never created/);
  refused([create, { ...made('unlink', A, ROOT, 'a', { nlink: 0 }), last: false }], /last/);
  refused([create, { ...made('unlink', A, ROOT, 'a', { nlink: 3 }), last: true }], /nlink/);
  refused(
    [
      create,
      made('create', B, ROOT, 'b', FILE),
      { ...made('unlink', A, ROOT, 'b', {}), last: true },
    ],
    /has this name/,
  );
  refused(
    [
      create,
      made('create', B, ROOT, 'b', FILE),
      { ...made('rename', A, ROOT, 'a', {}), newParent: ROOT, newName: 'b' },
    ],
    /replaces/,
  );
  refused([create, { ...create, index: '1', fid: B, name: 'b' }], /index/);
  refused([{ ...create, op: 'chmod' }], /unknown operation/);
});

test('the examples of the format make a tree', ({ dir }) => {
  const format = readFileSync(new URL('../../../src/feed/FORMAT.md', import.meta.url), 'utf8');
  const lines = /```ndjson\n(.*?)\n```/s.exec(format)?.[1]?.split('\n') ?? [];
  const applier = new Applier(dir);
  for (const line of lines) applier.apply(line);
  applier.finish((_fid, _offset, length) => Buffer.alloc(length, 'x'));
  const tree = snapshotTree(dir);
  assert.equal(Object.keys(tree).sort(), ['.', 'notes-\xff.txt', 'queue']);
  assert.is(tree.queue?.mode, '0600');
  assert.is(tree.queue?.size, '8197');
  assert.is(tree.queue?.nlink, 2);
  assert.is(tree.queue?.mtime, '1700000000000005000');
  assert.is(tree['.']?.mtime, '1700000000000013000');
});

test('two equal trees have no difference, and every difference is told', ({ dir }) => {
  const build = (name: string): string => {
    const root = join(dir, name);
    mkdirSync(root);
    mkdirSync(join(root, 'd'));
    writeFileSync(join(root, 'd/f'), 'content');
    linkSync(join(root, 'd/f'), join(root, 'twin'));
    symlinkSync('target', join(root, 'link'));
    mknod(Buffer.from(join(root, 'fifo')), 0o010600, 0);
    for (const path of ['link', 'fifo', 'd/f', 'd', '']) {
      lutimens(Buffer.from(join(root, path)), 1n, 1_000_000_002n);
    }
    return root;
  };
  const [one, two] = [build('one'), build('two')];
  const changes = (change: () => void): string[] => {
    change();
    const diff = diffTrees(snapshotTree(one), snapshotTree(two));
    rmSync(two, { recursive: true });
    build('two');
    return diff.map((line) => line.split(': ').slice(0, 2).join(' '));
  };
  assert.equal(
    changes(() => {}),
    [],
  );
  assert.equal(
    changes(() => chmodSync(join(two, 'd'), 0o700)),
    ['d mode'],
  );
  assert.equal(
    changes(() => chownSync(join(two, 'd'), 1, 2)),
    ['d uid', 'd gid'],
  );
  assert.equal(
    changes(() => utimesSync(join(two, 'fifo'), 1, 2)),
    ['fifo mtime'],
  );
  assert.equal(
    changes(() =>
      lsetxattr(Buffer.from(join(two, 'd')), Buffer.from('user.a'), Buffer.from('b'), 0),
    ),
    ['d xattrs'],
  );
  assert.equal(
    changes(() => {
      writeFileSync(join(two, 'd/f'), 'cOntent');
      lutimens(Buffer.from(join(two, 'd/f')), 1n, 1_000_000_002n);
    }),
    ['d/f sha256', 'twin sha256'],
  );
  assert.equal(
    changes(() => {
      writeFileSync(join(two, 'new'), '');
      lutimens(Buffer.from(two), 1n, 1_000_000_002n);
    }),
    ['new only in the second tree'],
  );
});

// Owners, device nodes and the times of other users' files are root's to set.
if (process.getuid?.() === 0) test.run();
