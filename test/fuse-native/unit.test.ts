/** The parts of the driver fuse-native that need no mount. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno, FsError } from '../../src/base/errno.js';
import { controlFid, FIRST_FID } from '../../src/base/fid.js';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { parseMountOptions } from '../../src/cli/mount-options.js';
import type { Attr } from '../../src/fuse/api.js';
import { EmptyAnswer, EntryAnswer } from '../../src/fuse-native/answers.js';
import { FOLDER_VARIABLE, loadFuseNative } from '../../src/fuse-native/binding.js';
import { Bridge } from '../../src/fuse-native/bridge.js';
import { Handles } from '../../src/fuse-native/handles.js';
import { hiddenName } from '../../src/fuse-native/hiding.js';
import { nameOperations } from '../../src/fuse-native/names.js';
import { optionArgument } from '../../src/fuse-native/options.js';
import { nativeIno, nativeStat, nativeStatfs } from '../../src/fuse-native/stat.js';
import { timesOf } from '../../src/fuse-native/utimens.js';
import { feedfs, withFolder } from '../support/mount.js';

function errnoOf(call: () => unknown): number {
  try {
    call();
  } catch (error) {
    if (error instanceof FsError) return error.errno;
    throw error;
  }
  return 0;
}

const time = { sec: 1, nsec: 999_999 };
const ATTR: Attr = {
  ...{ ino: 1, size: 2 ** 40, blocks: 3, mode: 0o100644, nlink: 1, uid: 2, gid: 3, rdev: 0 },
  ...{ atime: time, mtime: time, ctime: time, blksize: 4096 },
};

test('a stat in 32 bits and milliseconds, or EOVERFLOW', () => {
  const { size, atime, mtime } = nativeStat({ ...ATTR, mtime: { sec: 7, nsec: 1_999_999 } });
  assert.equal([size, atime, mtime], [2 ** 40, 1000, 7001]);
  const early = { ...ATTR, ctime: { sec: -1, nsec: 0 } };
  assert.is(
    errnoOf(() => nativeStat(early)),
    Errno.EOVERFLOW,
  );
});

test('inode numbers: the same, but for the control tree, and never two that are equal', () => {
  assert.is(nativeIno(FIRST_FID), FIRST_FID);
  assert.ok(nativeIno(controlFid(1)) < 2 ** 32);
  const clash = nativeIno(controlFid(1));
  for (const ino of [clash, 2 ** 32, 2 ** 32 + 1]) {
    assert.is(
      errnoOf(() => nativeIno(ino)),
      Errno.EOVERFLOW,
    );
  }
});

test('a filesystem with more blocks than 32 bits can count has larger ones', () => {
  const use = { blocks: 2 ** 34, bfree: 2 ** 33, bavail: 2 ** 32, files: 2 ** 40, ffree: 5 };
  const shown = nativeStatfs({ ...use, bsize: 4096, frsize: 4096, namelen: 255 });
  assert.ok(shown.blocks < 2 ** 32);
  assert.is(shown.blocks * shown.frsize, 2 ** 46);
  assert.is(shown.bavail * shown.frsize, 2 ** 44);
  assert.equal([shown.files, shown.ffree], [2 ** 32 - 1, 5]);
});

test('times from the memory of a request, if it is the one that is expected', () => {
  const frame = Buffer.alloc(200);
  frame.writeBigInt64LE(5_000_001_234n, 104);
  frame.writeBigInt64LE(-1n, 112);
  const [low, high] = [5_000_001_234 % 2 ** 32, Math.floor(5_000_001_234 / 2 ** 32)];
  assert.equal(timesOf(frame, low, high), {
    atime: { sec: 5_000_001, nsec: 234_000_000 },
    mtime: { sec: -1, nsec: 999_000_000 },
  });
  assert.is(timesOf(frame, low + 1, high), undefined);
  assert.is(timesOf(frame.subarray(0, 119), low, high), undefined);
});

test('what libfuse hides', () => {
  const hidden = '.fuse_hidden0123456789abcdef';
  assert.is(hiddenName('/a/b', `/a/${hidden}`), hidden);
  assert.is(hiddenName('/b', `/${hidden}`), hidden);
  for (const to of [`/c/${hidden}`, `/a/${hidden}0`, '/a/.fuse_hidden', `/a/x${hidden}`]) {
    assert.is(hiddenName('/a/b', to), undefined);
  }
});

test('handles are small numbers, used again, never 0', () => {
  const handles = new Handles();
  const open = (nodeId: number) => handles.add({ fh: 2 ** 40, nodeId, flags: 0 });
  assert.equal([open(7), open(8), open(9)], [1, 2, 3]);
  handles.remove(2);
  assert.ok(handles.isOpen(9));
  assert.not.ok(handles.isOpen(8));
  assert.is(handles.get(2), undefined);
  assert.is(handles.remove(2), undefined);
  assert.equal([open(8), open(6)], [2, 4]);
});

test('an answer is given once', () => {
  const given: number[] = [];
  const answer = new EmptyAnswer((errno) => given.push(errno));
  answer.error(Errno.EIO);
  assert.throws(() => answer.ok(), /answered once/);
  assert.equal(given, [Errno.EIO]);
});

test('errors of handlers: an FsError is its errno, another fault EIO and told, a missing handler ENOSYS', () => {
  const faults: unknown[] = [];
  const bug = new Error('bug');
  const bridge = new Bridge({
    handlers: {
      lookup: () => {
        throw new FsError(Errno.ESTALE, 'gone');
      },
      rmdir: () => {
        throw bug;
      },
    },
    caller: { uid: 0, gid: 0, pid: 0 },
    onFault: (_operation, error) => faults.push(error),
    onRequest: () => {},
  });
  const errnos: number[] = [];
  const told = (errno: number) => errnos.push(errno);
  bridge.find('/a', told);
  const name = 'a' as Parameters<Bridge['lookup']>[0]['name'];
  bridge.ask('rmdir', { nodeId: 1, name }, new EmptyAnswer(told));
  bridge.ask('mkdir', { nodeId: 1, name, mode: 0, umask: 0 }, new EntryAnswer(told));
  bridge.find('/�', told);
  bridge.place('/', told);
  assert.equal(errnos, [Errno.ESTALE, Errno.EIO, Errno.ENOSYS, Errno.EILSEQ, Errno.EBUSY]);
  assert.equal(faults, [bug]);
});

test('every lookup of a path is forgotten again', () => {
  const forgotten: number[] = [];
  const bridge = new Bridge({
    handlers: {
      lookup: ({ nodeId }, reply) =>
        reply.entry({
          ...{ nodeId: nodeId + 10, generation: 0, entryValidMs: 0, attrValidMs: 0, attr: ATTR },
        }),
      forget: (items) => forgotten.push(...items.map(({ nodeId }) => nodeId)),
    },
    caller: { uid: 0, gid: 0, pid: 0 },
    onFault: () => {},
    onRequest: () => {},
  });
  let found: number | undefined;
  bridge.find('/a/b/c', (_errno, nodeId) => {
    found = nodeId;
  });
  assert.is(found, 31);
  assert.equal(forgotten, [11, 21, 31]);
});

test('what libfuse hides is forgotten with its hidden name, and not before', () => {
  const forgotten: number[] = [];
  const bridge = new Bridge({
    handlers: { forget: (items) => forgotten.push(...items.map(({ nodeId }) => nodeId)) },
    caller: { uid: 0, gid: 0, pid: 0 },
    onFault: () => {},
    onRequest: () => {},
  });
  const name = '.fuse_hidden0123456789abcdef';
  bridge.hidden.set(name, 7);
  const unlink = nameOperations(bridge, new Handles()).unlink as (
    path: string,
    done: (result: number) => void,
  ) => void;
  const results: number[] = [];
  bridge.find(`/${name}`, (_errno, nodeId) => results.push(nodeId ?? -1));
  assert.equal(forgotten, []);
  unlink(`/${name}`, (result) => results.push(result));
  assert.equal(results, [7, 0]);
  assert.equal(forgotten, [7]);
  assert.is(bridge.hidden.size, 0);
});

test('mount options: commas are escaped, what libfuse 2 does not know is dropped, too long is refused', () => {
  const given = { subtype: 'feedfs', readOnly: true, root: true };
  const kernelOptions = ['nosuid', 'lazytime'];
  const argument = optionArgument({ ...given, fsname: '/a,b', kernelOptions });
  assert.match(argument, /^-ofsname=\/a\\,b,subtype=feedfs,default_permissions,/);
  assert.match(argument, /,suid,dev,nosuid,ro$/);
  assert.not.match(argument, /allow_other|lazytime/);
  const long = { ...given, fsname: `/${'x'.repeat(1000)}`, kernelOptions };
  assert.throws(() => optionArgument(long), /too long/);
});

test('-o driver', () => {
  const rights = { root: true, selinux: false };
  assert.is(parseMountOptions(['driver=fuse-native'], rights).driver, 'fuse-native');
  assert.is(parseMountOptions(['driver=fuse-native,driver=feedfs'], rights).driver, 'feedfs');
  assert.throws(() => parseMountOptions(['driver=other'], rights), /driver takes/);
  assert.throws(() => parseMountOptions(['driver'], rights), /driver takes/);
  const refused = ['allow_other', 'driver=fuse-native'];
  assert.throws(() => parseMountOptions(refused, rights), /does not tell who calls/);
});

test('without the package the command says what to install, and touches nothing', () =>
  withFolder(async (folder) => {
    const env = { ...process.env, [FOLDER_VARIABLE]: join(folder, 'nowhere') };
    const [store, mnt] = [join(folder, 'store'), join(folder, 'mnt')];
    fs.mkdirSync(mnt);
    const { code, stderr } = await feedfs(['mount', store, mnt, '-o', 'driver=fuse-native'], {
      env,
    });
    assert.is(code, ExitCode.FUSE_MISSING);
    assert.match(stderr, /npm install --prefix DIR fuse-native@2\.2\.6/);
    assert.not.ok(fs.existsSync(store));
  }));

test('another version is refused: its insides are unknown', () =>
  withFolder((folder) => {
    fs.writeFileSync(join(folder, 'package.json'), '{"version":"2.3.0"}');
    assert.throws(() => loadFuseNative({ [FOLDER_VARIABLE]: folder }), /2\.3\.0 is installed/);
  }));

test.run();
