/** Whose name a record bears, and who counts as a member of a group. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { Callers } from '../../src/client/who.js';
import { FakeClock } from '../support/fake-clock.js';
import { withFolder } from '../support/mount.js';
import { owedRecords } from '../support/namespace-model.js';
import { exitOf } from '../support/processes.js';
import { Simulated } from '../support/simulated.js';
import { bytes, O_RDWR, writeOf } from '../support/simulated-files.js';

/** Runs `use` while a process with that name exists. */
async function withProcess<T>(use: (pid: number) => T): Promise<T> {
  const child = spawn('/bin/sleep', ['1000'], { stdio: 'ignore' });
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  try {
    return use(must(child.pid, 'pid'));
  } finally {
    child.kill('SIGKILL');
    await exitOf(child);
  }
}

test('what a mapping writes bears the name of the process that opened the file, though it has ended', () =>
  withFolder(async (folder) => {
    const sim = new Simulated(join(folder, 'store'));
    sim.connection.call('feedCreate', { name: nameFromText('f') }, () => {});
    await sim.settle();
    const opener = { uid: 7, gid: 8 };
    const asked = { nodeId: ROOT_FID, name: nameFromText('file'), mode: 0o644, umask: 0 };
    const { file, pid } = await withProcess((pid) => {
      const request = { ...asked, flags: O_RDWR, killSuidgid: false, caller: { ...opener, pid } };
      const { got } = sim.ask('create', request);
      const [fid, fh] = [must(got.entry, 'entry').nodeId, must(got.open, 'open').fh];
      return { file: { fid, fh } as Parameters<typeof writeOf>[0], pid };
    });
    // Longer than the client remembers callers; the kernel's own thread writes.
    sim.clock.advance(60_000_000);
    const write = { ...writeOf(file, 0, bytes(100, 1)), fromCache: true };
    assert.is(
      (await sim.answer('write', { ...write, caller: { ...opener, pid: 0 } })).outcome,
      'ok',
    );
    await sim.settle();
    const record = must(
      owedRecords(sim, 1).find(({ op }) => op === 'write'),
      'record of the write',
    );
    assert.equal([record.pid, record.jobid, record.uid], [pid, 'sleep.7', 7]);
    await sim.close();
  }));

test('a group is the one in force or another of the process; unknown processes have none', async () => {
  const callers = new Callers(new FakeClock());
  const own = must(/^Groups:\t(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8')), 'groups');
  const groups = own[1]?.trim().split(' ').filter(Boolean).map(Number) ?? [];
  const unlikely = 4_000_000_001;
  assert.not.ok(groups.includes(unlikely));
  await withProcess((pid) => {
    const caller = { uid: 1, gid: unlikely + 1, pid };
    assert.ok(callers.isInGroup(caller, unlikely + 1));
    assert.not.ok(callers.isInGroup(caller, unlikely));
    for (const group of groups) assert.ok(callers.isInGroup(caller, group));
  });
  for (const group of groups) {
    assert.not.ok(callers.isInGroup({ uid: 1, gid: unlikely, pid: 0 }, group));
  }
});

test.run();
