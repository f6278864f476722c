/**
 * A feed's `baseline` and `.lustre/places` on a mount: what a copier would build from the
 * baseline and the records behind its place is what the mount shows.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { type Fid, formatFid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { openFeed } from '../../src/consumer/feeds.js';
import { placesOf } from '../../src/consumer/places.js';
import { decodeRecord } from '../../src/feed/record-codec.js';
import { BASELINES_MAX } from '../../src/mds/limits.js';
import { withFile } from '../posix/case.js';
import { setxattr } from '../posix/libc.js';
import { type BaselineModel, modelOfBaseline } from '../support/baseline-model.js';
import { withMount } from '../support/mount.js';
import { until } from '../support/processes.js';
import { Random } from '../support/random.js';
import { type ModelNode, Replayer } from '../support/replayer.js';
import { runAsUser } from './ordinary-user.js';

const READ_BYTES = 128 * 1024;
const { O_RDONLY, O_NONBLOCK } = fs.constants;

function next(fd: number): Buffer {
  const buffer = Buffer.alloc(READ_BYTES);
  return buffer.subarray(0, fs.readSync(fd, buffer, 0, READ_BYTES, null));
}

function rest(fd: number, between: () => void = () => {}): Buffer[] {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = next(fd);
    if (chunk.length === 0) return chunks;
    chunks.push(chunk);
    between();
  }
}

function baseline(feed: string, between?: () => void): BaselineModel {
  return withFile(join(feed, 'baseline'), O_RDONLY, (fd) => modelOfBaseline(rest(fd, between)));
}

/** What the mount shows: of each path its object, type, size, links and time. */
function shown(mnt: string): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const visit = (path: Buffer, name: string): void => {
    const { ino, mode, uid, gid, size, nlink, mtimeNs } = fs.lstatSync(path, { bigint: true });
    const directory = (mode & 0o170000n) === 0o040000n;
    const links = directory ? 0n : nlink;
    found.set(name, [ino, mode, uid, gid, directory ? 0n : size, links, mtimeNs].map(String));
    if (!directory) return;
    for (const entry of fs.readdirSync(path, { encoding: 'buffer' })) {
      const child = Buffer.concat([path, Buffer.from('/'), entry]);
      visit(child, `${name}/${entry.toString('latin1')}`);
    }
  };
  visit(Buffer.from(mnt), '');
  return found;
}

/** The same of a model. */
function modelled(nodes: ReadonlyMap<Fid, ModelNode>): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const visit = (fid: Fid, name: string): void => {
    const { attrs, entries } = must(nodes.get(fid), name);
    const { mode, uid, gid, mtime } = attrs;
    const directory = (mode & 0o170000) === 0o040000;
    const [size, nlink] = directory ? [0, 0] : [attrs.size, attrs.nlink];
    const ns = BigInt(mtime.sec) * 1_000_000_000n + BigInt(mtime.nsec);
    found.set(name, [fid, mode, uid, gid, size, nlink, ns].map(String));
    for (const [entry, child] of entries) visit(child, `${name}/${entry}`);
  };
  visit(ROOT_FID, '');
  return found;
}

function isSame(mnt: string, nodes: ReadonlyMap<Fid, ModelNode>): void {
  const sorted = (map: Map<string, unknown>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  assert.equal(sorted(modelled(nodes)), sorted(shown(mnt)));
}

/** Applies the feed's records from the baseline's place on. */
function catchUp(feed: string, { head, nodes }: BaselineModel): Map<Fid, ModelNode> {
  const replayer = new Replayer(must(nodes.get(ROOT_FID), 'the root'));
  for (const [fid, node] of nodes) replayer.nodes.set(fid, node);
  withFile(join(feed, 'stream'), O_RDONLY | O_NONBLOCK, (fd) => {
    const { size } = fs.fstatSync(fd);
    const bytes = Buffer.alloc(size - head.place.offset);
    fs.readSync(fd, bytes, 0, bytes.length, head.place.offset);
    for (let at = 0, index = head.place.index; at < bytes.length; index++) {
      const found = decodeRecord(bytes, at);
      assert.is(found.record.index, index, 'the place is that of the next record');
      replayer.apply(found.record);
      at += found.size;
    }
  });
  return replayer.nodes;
}

/** Changes of all kinds, each refused where it does not fit. */
function work(mnt: string, random: Random): void {
  const at = (): string => join(mnt, `d${random.below(4)}`, `f${random.below(400)}`);
  const acts: readonly (() => void)[] = [
    () => fs.writeFileSync(at(), 'x'.repeat(random.below(300))),
    () => fs.writeFileSync(at(), 'x'.repeat(20_000)),
    () => fs.renameSync(at(), at()),
    () => fs.unlinkSync(at()),
    () => fs.linkSync(at(), at()),
    () => fs.truncateSync(at(), random.below(1_000)),
    () => fs.chmodSync(at(), 0o600 | random.below(0o77)),
  ];
  try {
    must(random.pick(acts), 'an act')();
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
  }
}

/** All records so far are shown. */
function sync(mnt: string): void {
  withFile(mnt, O_RDONLY, (fd) => fs.fsyncSync(fd));
}

test('read while the tree changes, it and the records behind it lead to what there is', () =>
  withMount(async (mount) => {
    const { mnt } = mount;
    const feed = mount.feed('f');
    const random = new Random(5);
    for (let d = 0; d < 4; d++) fs.mkdirSync(join(mnt, `d${d}`));
    for (let i = 0; i < 2_000; i++) work(mnt, random);
    for (let round = 0; round < 3; round++) {
      const model = baseline(feed, () => {
        for (let i = 0; i < 60; i++) work(mnt, random);
      });
      sync(mnt);
      isSame(mnt, catchUp(feed, model));
    }
  }));

test('10,000 entries, hard links, extended attributes, contents; an orphan is left out', () =>
  withMount(async (mount) => {
    const { mnt } = mount;
    const feed = mount.feed('f');
    const wide = join(mnt, 'wide');
    fs.mkdirSync(wide);
    for (let i = 0; i < 10_000; i++) fs.closeSync(fs.openSync(join(wide, `entry ${i}`), 'w'));
    fs.writeFileSync(join(mnt, 'small'), 'contents');
    fs.writeFileSync(join(mnt, 'large'), Buffer.alloc(300_000, 7));
    fs.truncateSync(join(wide, 'entry 5'), 12_345);
    for (const name of ['a', 'b', 'c']) fs.linkSync(join(mnt, 'small'), join(wide, name));
    fs.symlinkSync('some/where', join(mnt, 'symlink'));
    setxattr(join(mnt, 'small'), 'user.k', Buffer.alloc(60_000, 3), 0);
    fs.writeFileSync(Buffer.concat([Buffer.from(`${mnt}/`), Buffer.from([0xff, 0x0a])]), '');
    const orphan = fs.openSync(join(mnt, 'orphan'), 'w');
    fs.unlinkSync(join(mnt, 'orphan'));
    const model = baseline(feed);
    isSame(mnt, model.nodes);
    assert.is(model.names, 3);
    const { objects, nodes } = model;
    const object = (path: string) =>
      must(objects.get(fs.lstatSync(join(mnt, path)).ino as Fid), path);
    assert.equal(object('small').contents, new Uint8Array(Buffer.from('contents')));
    const xattrs = nodes.get(object('small').fid)?.xattrs.get('user.k');
    assert.is(xattrs, Buffer.alloc(60_000, 3).toString('hex'));
    assert.is(object('symlink').target, 'some/where');
    assert.is(object('wide/entry 5').contents, undefined, 'a hole');
    const large = object('large');
    assert.is(large.contents, 'elsewhere');
    const byFid = fs.readFileSync(join(mnt, '.lustre/fid', formatFid(large.fid)));
    assert.ok(byFid.equals(Buffer.alloc(300_000, 7)));
    fs.closeSync(orphan);
  }));

test('it is read in order and by nobody else; so many at a time; a killed reader leaves nothing', () =>
  withMount(async (mount) => {
    const feed = mount.feed('f');
    const path = join(feed, 'baseline');
    fs.writeFileSync(join(mount.mnt, 'file'), 'x');
    assert.is(fs.statSync(path).mode, 0o100400);
    const fds = Array.from({ length: BASELINES_MAX }, () => fs.openSync(path, 'r'));
    assert.throws(() => fs.openSync(path, 'r'), /EBUSY/);
    const [fd] = fds as [number];
    assert.throws(() => fs.readSync(fd, Buffer.alloc(9), 0, 9, 3), /ESPIPE/);
    modelOfBaseline(rest(fd));
    for (const one of fds) fs.closeSync(one);
    const child = spawn('sh', ['-c', `exec 3< '${path}'; head -c 50 <&3; exec sleep 60`]);
    await once(child.stdout, 'data');
    const more = Array.from({ length: BASELINES_MAX - 1 }, () => fs.openSync(path, 'r'));
    assert.throws(() => fs.openSync(path, 'r'), /EBUSY/);
    child.kill('SIGKILL');
    await once(child, 'exit');
    // The kernel releases it in its own time, though soon.
    let opened: number | undefined;
    await until(() => {
      try {
        opened = fs.openSync(path, 'r');
        return true;
      } catch {
        return false;
      }
    }, 'the place of the reader that was killed');
    for (const one of [...more, must(opened, 'it')]) fs.closeSync(one);
    const user = await runAsUser('head', ['-c', '1', path], '/');
    assert.is.not(user.code, 0);
  }));

test('a feed that is removed meanwhile does not matter to it; an expired one has none', () =>
  withMount(async (mount) => {
    const feed = mount.feed('f');
    for (let i = 0; i < 3_000; i++) fs.mkdirSync(join(mount.mnt, `d${i}`));
    withFile(join(feed, 'baseline'), O_RDONLY, (fd) => {
      const first = next(fd);
      fs.rmdirSync(feed);
      isSame(mount.mnt, modelOfBaseline([first, ...rest(fd)]).nodes);
    });
    assert.throws(() => fs.openSync(join(feed, 'baseline'), 'r'), /ENOENT/);
    const other = mount.feed('other');
    fs.writeFileSync(join(other, 'policy'), '{"maxRecords":1,"then":"expire"}');
    for (const name of ['x', 'y', 'z']) fs.mkdirSync(join(mount.mnt, name));
    const { state } = await expired(other);
    assert.is(state, 'expired');
    assert.throws(
      () => fs.openSync(join(other, 'baseline'), 'r'),
      (error: unknown) => error instanceof Error && 'errno' in error && error.errno === -43,
    );
  }));

interface Info {
  readonly state: string;
  readonly filesystem: string;
  readonly gaps: number;
  readonly acknowledged: Readonly<Record<string, string | number>>;
}

function info(feed: string): Info {
  return JSON.parse(fs.readFileSync(join(feed, 'info'), 'utf8')) as Info;
}

async function expired(feed: string): Promise<Info> {
  await until(() => info(feed).state === 'expired', 'the feed expires');
  return info(feed);
}

test('the place of a baseline can be acknowledged, and info then says that place', () =>
  withMount(async (mount) => {
    const feed = mount.feed('f');
    for (let i = 0; i < 20; i++) fs.mkdirSync(join(mount.mnt, `d${i}`));
    const { head } = baseline(feed);
    assert.is(info(feed).acknowledged.index, '1');
    const consumer = await openFeed(mount.mnt, 'f');
    await consumer.acknowledgeLog({ offset: 0, length: head.place.offset });
    consumer.close();
    const { offset, index } = head.place;
    const { filesystem, acknowledged, gaps } = info(feed);
    assert.is(filesystem, head.filesystem);
    assert.equal([acknowledged.epoch, acknowledged.offset], [0, `${offset}`]);
    assert.equal([acknowledged.index, gaps], [`${index}`, 0]);
  }));

test('names by FID', () =>
  withMount(async (mount) => {
    const { mnt } = mount;
    fs.mkdirSync(join(mnt, 'd'));
    fs.writeFileSync(join(mnt, 'd', 'é'), '');
    fs.linkSync(join(mnt, 'd', 'é'), join(mnt, 'second'));
    const fid = (path: string) => fs.lstatSync(join(mnt, path)).ino as Fid;
    const fids: Fid[] = [fid('second'), ROOT_FID, fid('d'), 999_999_999 as Fid];
    for (let i = 0; i < 3_000; i++) {
      fs.mkdirSync(join(mnt, `many ${i}`));
      fids.push(fid(`many ${i}`));
    }
    const [file, root, directory, absent, ...many] = await placesOf(mnt, fids);
    assert.equal(file?.places, [
      { parent: fid('d'), name: nameFromText('é') },
      { parent: ROOT_FID, name: 'second' },
    ]);
    assert.equal(root?.places, [{ parent: 0, name: '' }]);
    assert.equal(directory, { fid: fid('d'), mode: 0o040755, places: [{ parent: 1, name: 'd' }] });
    assert.equal(absent, { fid: 999_999_999, mode: 0, places: [] });
    assert.equal(
      many.map(({ places }) => places[0]?.name),
      Array.from({ length: 3_000 }, (_, i) => `many ${i}`),
    );
    assert.equal(await placesOf(mnt, []), []);
    const path = join(mnt, '.lustre/places');
    assert.is(fs.statSync(path).mode, 0o100600);
    assert.throws(() => fs.writeFileSync(path, 'nonsense', { flag: 'r+' }), /EINVAL/);
    const user = await runAsUser('cat', [path], '/');
    assert.is.not(user.code, 0);
  }));

test.run();
