/** Where a feed stands: `info`, the attributes user.feedfs.*, stat(2) and SEEK_DATA say the same, always. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  fallocate,
  getxattr,
  listxattr,
  lseek,
  SEEK_DATA,
  SyscallError,
} from '../posix/libc.js';
import { type TestMount, withMount } from '../support/mount.js';
import { Random } from '../support/random.js';
import { read, VIEWS, type View, withPuncher, withReader } from './feed-fixture.js';
import { quiesce } from './limited-feeds.js';

const STEPS = 120;
const SEEDS = [1, 2, 3];
const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
const PLACES = ['epoch', 'first_offset', 'next_offset', 'first_index', 'next_index'] as const;

type Info = Readonly<Record<string, string>>;

function attributes(path: string): Record<string, string> {
  const found = PLACES.map((place) => [place, getxattr(path, `user.feedfs.${place}`).toString()]);
  return Object.fromEntries(found) as Record<string, string>;
}

/** What `info` says, in the terms of the attributes. */
function expected(info: Info, text: boolean): Record<string, string> {
  return {
    epoch: `${info.epoch}`,
    first_offset: `${text ? info.firstText : info.firstOffset}`,
    next_offset: `${text ? info.nextText : info.nextOffset}`,
    first_index: `${info.firstIndex}`,
    next_index: `${info.nextIndex}`,
  };
}

/** Where the first owed byte is, as lseek(2) says; undefined if nothing is owed. */
function seek(fd: number): number | undefined {
  try {
    return lseek(fd, 0, SEEK_DATA);
  } catch (error) {
    if (error instanceof SyscallError && error.code === 'ENXIO') return undefined;
    throw error;
  }
}

function assertAgreement(folder: string, expired: boolean): void {
  const info = JSON.parse(fs.readFileSync(join(folder, 'info'), 'utf8')) as Info;
  assert.equal(attributes(folder), expected(info, false));
  assert.equal(attributes(join(folder, 'changelog')), expected(info, false));
  const owed = Number(info.owedRecords);
  if (owed === 0) assert.is(info.firstIndex, info.nextIndex);
  for (const view of VIEWS) {
    const path = join(folder, view);
    const text = view === 'stream.ndjson';
    const places = expected(info, text);
    assert.equal(attributes(path), places);
    const { size, blocks } = fs.statSync(path);
    assert.is(`${size}`, places.next_offset);
    assert.is(blocks, Math.ceil(Number(text ? info.owedText : info.owedBytes) / 512));
    if (expired) continue;
    withReader(path, (fd) => {
      assert.is(seek(fd) ?? size, Number(places.first_offset));
      if (owed > 0) assertFirst(fd, view, Number(info.firstIndex));
    });
  }
}

/** A FIFO read begins with the record that `info` names. A LOST record has the index of its last one. */
function assertFirst(fd: number, view: View, index: number): void {
  const bytes = read(fd, 64 * 1024);
  assert.instance(bytes, Buffer);
  if (view !== 'stream.ndjson') return;
  const line = (bytes as Buffer).toString('utf8').split('\n', 1)[0] ?? '';
  assert.is(Number((JSON.parse(line) as { index: string }).index), index);
}

/** One thing that moves a feed's places. */
function step(mount: TestMount, folder: string, random: Random, i: number): void {
  const choice = random.below(10);
  if (choice < 5) {
    for (let n = random.below(12); n >= 0; n--) {
      fs.mkdirSync(join(mount.mnt, `${random.below(2) === 0 ? 'a' : 'b'}-${i}-${n}`));
    }
  } else if (choice < 8) {
    const view = VIEWS[random.below(2)] ?? 'stream';
    withPuncher(join(folder, view), (fd) => {
      const { size } = fs.fstatSync(fd);
      const from = random.below(3) === 0 ? 0 : random.below(size + 1);
      fallocate(fd, PUNCH, from, 1 + random.below(2_000));
    });
  } else if (choice === 8) {
    fs.writeFileSync(join(folder, 'filter'), random.below(2) === 0 ? '{"name":"a-*"}' : '{}');
  } else {
    const records = 5 + random.below(40);
    const policy = `{"maxRecords":${records},"then":"drop-oldest"}`;
    fs.writeFileSync(join(folder, 'policy'), random.below(2) === 0 ? policy : '{}');
  }
}

for (const seed of SEEDS) {
  test(`after any acknowledgement, filter and loss (seed ${seed})`, () =>
    withMount(async (mount) => {
      const random = new Random(seed);
      fs.mkdirSync(join(mount.mnt, 'before'));
      const folder = mount.feed('f');
      assert.equal(listxattr(folder), PLACES.map((place) => `user.feedfs.${place}`).sort());
      for (let i = 0; i < STEPS; i++) {
        step(mount, folder, random, i);
        quiesce(mount.mnt);
        assertAgreement(folder, false);
        if (i === STEPS / 2) await mount.kill();
        if (i === STEPS / 2) await mount.mount();
      }
      fs.writeFileSync(join(folder, 'filter'), '{}');
      fs.writeFileSync(join(folder, 'policy'), '{"maxRecords":1}');
      for (let n = 0; n < 3; n++) fs.mkdirSync(join(mount.mnt, `last-${n}`));
      quiesce(mount.mnt);
      assertAgreement(folder, true);
    }));
}

test.run();
