/** Where an ordinary user's watch is open, what was written is recorded before others may see the place. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { fidOfNode } from '../../src/client/control/nodes.js';
import { UNCOMMITTED_CHANGES_MAX } from '../../src/store/limits.js';
import { ACCESS, aclOf } from '../support/acl.js';
import type { FakeReply } from '../support/fake-reply.js';
import { withFolder } from '../support/mount.js';
import { owedRecords } from '../support/namespace-model.js';
import { exitOf } from '../support/processes.js';
import { Simulated } from '../support/simulated.js';
import {
  bytes,
  createFile,
  type OpenFile,
  setattrOf,
  writeOf,
} from '../support/simulated-files.js';

const ALICE = { uid: 41_001, gid: 41_001 };
const O_NONBLOCK = 0o4000;
const ACL = aclOf('u::rwx', 'u:41001:r-x', 'g::---', 'm::r-x', 'o::---');

interface Fixture {
  readonly sim: Simulated;
  /** A directory that only root can enter, and one for all. */
  readonly shut: Fid;
  readonly open: Fid;
  /** In the first. */
  readonly file: OpenFile;
  /** Lines of the user's watch, without those of the directories themselves. */
  readonly shown: () => Promise<string[]>;
}

/** With a watch of a real process of another user, unless `watched` is false. */
function withSealed(use: (fixture: Fixture) => Promise<void>, watched = true): Promise<void> {
  return withFolder(async (folder) => {
    const sim = new Simulated(join(folder, 'store'), { userWatch: true });
    sim.connection.call('feedCreate', { name: nameFromText('f') }, () => {});
    await sim.settle();
    const shut = mkdir(sim, 'shut', 0o700);
    const open = mkdir(sim, 'open', 0o755);
    const file = createFile(sim, 'file');
    done(sim.ask('rename', moveOf([ROOT_FID, 'file'], [shut, 'file'])));
    const child = spawn('/bin/sleep', ['1000'], { stdio: 'ignore', ...ALICE });
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    const caller = { ...ALICE, pid: must(child.pid, 'pid') };
    const nodeId = fidOfNode({ kind: 'watch' });
    try {
      const opened = watched
        ? sim.ask('open', { nodeId, flags: 0, killSuidgid: false, caller })
        : undefined;
      const fh = opened?.got.open?.fh ?? -1;
      const shown = async (): Promise<string[]> => {
        await sim.settle();
        const asked = { nodeId, fh, offset: 0, size: 65_536, flags: O_NONBLOCK } as const;
        let text = '';
        for (;;) {
          const reply = sim.ask('read', { ...asked, lockOwner: undefined, caller });
          if (reply.got.bytes === undefined) break;
          text += Buffer.from(reply.got.bytes).toString();
        }
        return text
          .split('\n')
          .filter(Boolean)
          .map((line) => (JSON.parse(line) as { op: string }).op)
          .filter((op) => op !== 'setattr' && op !== 'setxattr');
      };
      await use({ sim, shut, open, file, shown });
    } finally {
      child.kill('SIGKILL');
      await exitOf(child);
      await sim.close();
    }
  });
}

function done(reply: FakeReply): FakeReply {
  assert.is(reply.outcome, 'ok');
  return reply;
}

function mkdir(sim: Simulated, name: string, mode: number): Fid {
  const asked = { nodeId: ROOT_FID, name: nameFromText(name), mode, umask: 0 };
  return done(sim.ask('mkdir', asked)).got.entry?.nodeId as Fid;
}

type Place = readonly [Fid, string];

function moveOf([nodeId, name]: Place, [newParent, newName]: Place) {
  const names = { name: nameFromText(name), newName: nameFromText(newName) };
  return { nodeId, newParent, flags: 0, ...names };
}

function write(sim: Simulated, file: OpenFile, offset: number): void {
  done(sim.ask('write', writeOf(file, offset, bytes(10, 1))));
}

/** Operation and offsets of the records since `from`. */
function recordsSince(sim: Simulated, from: number): unknown[] {
  return owedRecords(sim, 1)
    .slice(from)
    .map((record) =>
      record.op === 'write' ? record.extents.map(({ offset }) => offset) : record.op,
    );
}

if (process.getuid?.() === 0) {
  test('chmod, chown and an ACL of a directory come after what was written in it', () =>
    withSealed(async ({ sim, shut, file, shown }) => {
      const acl = { name: nameFromText(ACCESS), value: ACL, flags: 0, killSgid: false };
      for (const open of [
        () => sim.ask('setattr', setattrOf(shut, { mode: 0o755 })),
        () => sim.ask('setattr', setattrOf(shut, { uid: ALICE.uid })),
        () => sim.ask('setattr', setattrOf(shut, { gid: ALICE.gid, mode: 0o750 })),
        () => sim.ask('setxattr', { nodeId: shut, ...acl }),
      ]) {
        write(sim, file, 0);
        done(open());
        assert.equal(await shown(), []);
        // From now on what is written is shown.
        write(sim, file, 0);
        assert.equal(await shown(), ['write']);
        done(sim.ask('setattr', setattrOf(shut, { mode: 0o700, uid: 0, gid: 0 })));
        await shown();
      }
    }));

  test('so do a rename out of it, and of it, and another name', () =>
    withSealed(async ({ sim, shut, open, file, shown }) => {
      write(sim, file, 0);
      const other = { nodeId: open, name: nameFromText('other'), oldNodeId: file.fid };
      await sim.answer('link', other);
      assert.equal(await shown(), ['link']);
      done(sim.ask('unlink', { nodeId: open, name: nameFromText('other') }));
      write(sim, file, 0);
      done(sim.ask('rename', moveOf([shut, 'file'], [open, 'file'])));
      assert.equal(await shown(), ['unlink', 'link']);
      write(sim, file, 0);
      assert.equal(await shown(), ['write']);
    }));

  test('while records wait for the disk, too: no later one has any of it', () =>
    withSealed(async ({ sim, shut, file, shown }) => {
      await shown();
      const from = owedRecords(sim, 1).length;
      sim.holdFlushes = true;
      const chmod = setattrOf(ROOT_FID, { atime: { sec: 1, nsec: 0 } });
      sim.ask('setattr', chmod);
      sim.server.commit.run();
      for (let i = 0; i < UNCOMMITTED_CHANGES_MAX; i++) sim.ask('setattr', chmod);
      assert.ok(sim.server.commit.saturated);
      write(sim, file, 100_000);
      const opened = sim.ask('setattr', setattrOf(shut, { mode: 0o755 }));
      // The record was sent; nothing is sent twice.
      sim.ask('setattr', setattrOf(shut, { mode: 0o705 }));
      write(sim, file, 200_000);
      assert.not.ok(opened.answered);
      assert.equal(await shown(), ['write']);
      const said = recordsSince(sim, from).filter(
        (one, i, all) => one !== 'setattr' || i > all.length - 4,
      );
      assert.equal(said, [[100_000], 'setattr', 'setattr', [200_000]]);
    }));

  test('without such a watch nothing is recorded sooner', () =>
    withSealed(async ({ sim, shut, file }) => {
      await sim.settle();
      const from = owedRecords(sim, 1).length;
      write(sim, file, 0);
      done(sim.ask('setattr', setattrOf(shut, { mode: 0o755 })));
      await sim.settle();
      assert.equal(recordsSince(sim, from), ['setattr', [0]]);
    }, false));
}

test.run();
