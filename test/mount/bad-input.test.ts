/** Stores that are damaged, taken or too new: what a mount says, and what goes on working. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { currentBootId, decodeFlushed, encodeFlushed } from '../../src/store/flush-marker.js';
import { feedKey } from '../../src/store/keys.js';
import { pathsOf } from '../../src/store/store-directory.js';
import { cut, flipBits, makeStore, tamper } from '../support/damage.js';
import { feedfs, withFolder, withMount } from '../support/mount.js';
import { isMounted } from '../support/mounts.js';
import { runOk } from '../support/processes.js';

function errnoOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

/** Tries to mount; returns the exit code and the one line that it must have said. */
async function refusal(
  store: string,
  mountpoint: string,
): Promise<{ code: number | null; line: string }> {
  const { code, stderr } = await feedfs(['mount', store, mountpoint]);
  assert.not.ok(isMounted(mountpoint), 'it was mounted');
  assert.is(stderr.trimEnd().split('\n').length, 1, `more than a line: ${stderr}`);
  return { code, line: stderr.trimEnd() };
}

test('a store that a daemon has open is refused with its pid, by mount and by fsck', () =>
  withMount(async (mount) => {
    const other = join(mount.folder, 'other');
    fs.mkdirSync(other);
    const { code, line } = await refusal(mount.store, other);
    assert.is(code, ExitCode.STORE_LOCKED);
    assert.match(line, `process ${mount.pid};`);
    const checked = await feedfs(['fsck', mount.store]);
    assert.is(checked.code, ExitCode.STORE_LOCKED);
    assert.match(checked.stderr, `process ${mount.pid};`);
    fs.writeFileSync(join(mount.mnt, 'still'), 'here');
  }));

interface BadStore {
  readonly what: string;
  readonly damage: (store: string) => void | Promise<void>;
  readonly code: ExitCode;
  readonly says: RegExp;
}

const BAD_STORES: readonly BadStore[] = [
  {
    what: 'of a newer format',
    damage: (store) => fs.writeFileSync(pathsOf(store).identity, '{"format":7}'),
    code: ExitCode.STORE_NEWER,
    says: /format 7.*newer feedfs/,
  },
  {
    what: 'whose identity is damaged',
    damage: (store) => fs.writeFileSync(pathsOf(store).identity, '{"form'),
    code: ExitCode.STORE_UNUSABLE,
    says: /feedfs\.json is damaged/,
  },
  {
    what: 'without its flush marker',
    damage: (store) => fs.rmSync(pathsOf(store).marker),
    code: ExitCode.STORE_UNUSABLE,
    says: /flushed.*run feedfs fsck/,
  },
  {
    what: 'whose environment is cut to half',
    damage: (store) => cut(store, (whole) => whole / 2),
    code: ExitCode.STORE_UNUSABLE,
    says: /data\.mdb is cut/,
  },
  {
    what: 'whose environment is cut to 5000 bytes',
    damage: (store) => cut(store, 5_000),
    code: ExitCode.STORE_UNUSABLE,
    says: /data\.mdb is cut/,
  },
  {
    what: 'whose environment is empty',
    damage: (store) => cut(store, 0),
    code: ExitCode.STORE_UNUSABLE,
    says: /data\.mdb is missing or empty/,
  },
  {
    what: 'with a feed that is no JSON',
    damage: (store) =>
      tamper(store, (tables) => tables.feed.put(feedKey(1), Buffer.from('{"name"'))),
    code: ExitCode.STORE_UNUSABLE,
    says: /is damaged.*run feedfs fsck/,
  },
  {
    what: 'whose end of the log is cut off',
    damage: (store) =>
      tamper(store, (tables) => tables.meta.put(Buffer.from('log.end'), Buffer.alloc(3))),
    code: ExitCode.STORE_UNUSABLE,
    says: /is damaged.*run feedfs fsck/,
  },
  {
    what: 'that is some other directory',
    damage: (store) => {
      fs.rmSync(store, { recursive: true });
      fs.mkdirSync(store);
      fs.writeFileSync(join(store, 'thesis.tex'), 'years of work');
    },
    code: ExitCode.STORE_UNUSABLE,
    says: /neither empty nor a feedfs store/,
  },
];

for (const { what, damage, code, says } of BAD_STORES) {
  test(`a store ${what} is refused in one line`, () =>
    withFolder(async (folder) => {
      const store = join(folder, 'store');
      const mountpoint = join(folder, 'mnt');
      fs.mkdirSync(mountpoint);
      await makeStore(store, (bench) => {
        for (let i = 0; i < 100; i++) bench.file(`file ${i}`);
      });
      await damage(store);
      const refused = await refusal(store, mountpoint);
      assert.is(refused.code, code, refused.line);
      assert.match(refused.line, says);
    }));
}

/** Reads all that is there now: the bytes, and how often a read was EIO. */
function drain(path: string): { text: Buffer; failures: number } {
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  const parts: Buffer[] = [];
  let failures = 0;
  try {
    for (;;) {
      const part = Buffer.alloc(4_096);
      try {
        parts.push(part.subarray(0, fs.readSync(fd, part, 0, part.length, null)));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EAGAIN') return { text: Buffer.concat(parts), failures };
        assert.is(code, 'EIO');
        failures++;
        assert.ok(failures < 10, 'the same damage again and again');
      }
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** Records, each of which begins with its length. */
function split(bytes: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + bytes.readUInt32LE(at);
    records.push(bytes.subarray(at, end));
    at = end;
  }
  return records;
}

test('a damaged record is EIO, named by fsck, and all others are read', () =>
  withMount(async (mount) => {
    mount.feed('feed');
    for (let i = 0; i < 60; i++) fs.mkdirSync(join(mount.mnt, `folder-${i}`));
    flush(mount.mnt);
    const feed = join(mount.mnt, '.lustre', 'feeds', 'feed');
    const whole = drain(join(feed, 'stream')).text;
    assert.is(whole.length, fs.statSync(join(feed, 'stream')).size);
    await mount.unmount();

    assert.ok(flipBits(mount.store, 'folder-31', 4) > 0);
    const report = await feedfs(['fsck', mount.store]);
    assert.is(report.code, ExitCode.FSCK_FOUND);
    assert.match(report.stdout.toString(), /damaged-record +record 32 at \d+/);

    await mount.mount();
    const bytes = drain(join(feed, 'stream'));
    assert.is(bytes.failures, 1);
    const records = split(whole);
    assert.is(records.length, 60);
    const without = Buffer.concat(records.filter((_record, i) => i !== 31));
    assert.ok(bytes.text.equals(without), 'all records but one, as they were');
    const lines = drain(join(feed, 'stream.ndjson'));
    assert.is(lines.failures, 1);
    const names = lines.text
      .toString()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { name: string }).name);
    const wanted = Array.from({ length: 60 }, (_none, i) => `folder-${i}`);
    assert.equal(
      names,
      wanted.filter((name) => name !== 'folder-31'),
    );
    // It can be acknowledged like any other.
    await runOk('fallocate', ['-p', '-o', '0', '-l', `${whole.length}`, join(feed, 'stream')]);
    assert.is(fs.statSync(join(feed, 'stream')).blocks, 0);
    fs.mkdirSync(join(mount.mnt, 'later'));
    flush(mount.mnt);
    assert.match(drain(join(feed, 'stream.ndjson')).text.toString(), '"later"');
  }));

test('damaged contents are EIO, and other files are not touched by it', () =>
  withMount(async (mount) => {
    const path = (name: string) => join(mount.mnt, name);
    fs.writeFileSync(path('small'), 'the contents of a small file');
    fs.writeFileSync(path('other'), 'the contents of another');
    fs.writeFileSync(path('large'), Buffer.alloc(100_000, 1));
    await mount.unmount();
    flipBits(mount.store, 'the contents of a small file', 5);
    const { objects } = pathsOf(mount.store);
    for (const name of fs.readdirSync(objects, { recursive: true, encoding: 'utf8' })) {
      if (name.includes('.')) fs.rmSync(join(objects, name));
    }
    const report = await feedfs(['fsck', mount.store]);
    assert.match(report.stdout.toString(), 'damaged-value');
    assert.match(report.stdout.toString(), 'missing-contents');
    await mount.mount();
    assert.is(
      errnoOf(() => fs.readFileSync(path('small'))),
      'EIO',
    );
    assert.is(
      errnoOf(() => fs.readFileSync(path('large'))),
      'EIO',
    );
    assert.is(fs.readFileSync(path('other'), 'utf8'), 'the contents of another');
    // They can be deleted, and made anew.
    for (const name of ['small', 'large']) {
      fs.rmSync(path(name));
      fs.writeFileSync(path(name), 'new');
      assert.is(fs.readFileSync(path(name), 'utf8'), 'new');
    }
    await mount.unmount();
    const after = await feedfs(['fsck', mount.store]);
    assert.is(after.code, ExitCode.OK, after.stdout.toString());
  }));

test('after a power cut the mount has what was flushed, and says nothing else', () =>
  withMount(async (mount) => {
    fs.writeFileSync(join(mount.mnt, 'flushed'), 'yes');
    await mount.unmount();
    // The last transaction is on disk; say that it is not, and that the machine was off.
    const { marker } = pathsOf(mount.store);
    const flushed = decodeFlushed(fs.readFileSync(marker));
    assert.is(flushed?.bootId, currentBootId());
    const bootId = '01234567-89ab-cdef-0123-456789abcdef';
    const transaction = (flushed?.transaction ?? 0) - 1;
    fs.writeFileSync(marker, encodeFlushed({ transaction, bootId }));
    const report = await feedfs(['fsck', mount.store]);
    assert.is(report.code, ExitCode.OK, report.stdout.toString());
    await mount.mount();
    fs.writeFileSync(join(mount.mnt, 'after'), 'goes on');
    await mount.remount();
    assert.is(fs.readFileSync(join(mount.mnt, 'after'), 'utf8'), 'goes on');
    await mount.unmount();
    const after = await feedfs(['fsck', mount.store]);
    assert.is(after.code, ExitCode.OK, after.stdout.toString());
  }));

/** Waits until all changes are on disk, and what was deleted has given back its space. */
function flush(folder: string): void {
  const fd = fs.openSync(folder, 'r');
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

test.run();
