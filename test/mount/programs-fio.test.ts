// test-timeout: 300 s
/** fio writes at random with checksums and verifies them, by every way a program can do I/O. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ProgramMount, withProgram } from '../programs/program-mount.js';
import { run } from '../support/processes.js';

interface Job {
  readonly name: string;
  readonly engine: string;
  readonly options?: readonly string[];
}

const JOBS: readonly Job[] = [
  { name: 'mmap', engine: 'mmap', options: ['--fsync=64'] },
  { name: 'psync', engine: 'psync', options: ['--fsync=256'] },
  { name: 'psync-odd', engine: 'psync', options: ['--bsrange=512-64k', '--verify_interval=512'] },
  { name: 'psync-mixed', engine: 'psync', options: ['--rw=randrw', '--fdatasync=128'] },
  // Reads and verifies while it writes.
  { name: 'psync-backlog', engine: 'psync', options: ['--verify_backlog=64'] },
  { name: 'vectors', engine: 'pvsync2', options: ['--fallocate=none', '--bs=12k', '--size=6m'] },
  { name: 'libaio', engine: 'libaio', options: ['--iodepth=16', '--fsync=256'] },
  { name: 'libaio-direct', engine: 'libaio', options: ['--iodepth=16', '--direct=1'] },
  { name: 'io_uring-direct', engine: 'io_uring', options: ['--iodepth=16', '--direct=1'] },
  // io_uring asks whether the file is ready for writing 255 times before each of these, so there are few.
  { name: 'io_uring', engine: 'io_uring', options: ['--iodepth=4', '--size=1m'] },
];

const SIZE = '8m';
/** io_uring is forbidden in some containers; fio then says so in its first line. */
const FORBIDDEN = /Operation not permitted|Function not implemented/;

function fioArgs(program: ProgramMount, job: Job): string[] {
  return [
    ...[`--name=${job.name}`, `--directory=${program.mnt}`, `--ioengine=${job.engine}`],
    ...['--rw=randwrite', '--bs=4k', `--size=${SIZE}`, '--verify=crc32c', '--verify_fatal=1'],
    ...['--verify_state_save=0', '--randseed=1', '--group_reporting', '--minimal'],
    ...(job.options ?? []),
  ];
}

/** The jobs that this machine permits. */
async function permitted(program: ProgramMount): Promise<Job[]> {
  const probe = [
    '--name=probe',
    '--ioengine=io_uring',
    '--size=4k',
    `--directory=${program.aside}`,
  ];
  const { code, stderr, stdout } = await run('fio', probe);
  if (code === 0) return [...JOBS];
  assert.match(`${stderr}${stdout}`, FORBIDDEN);
  return JOBS.filter((job) => job.engine !== 'io_uring');
}

test('fio --verify: random writes by mmap, pwrite, vectors, libaio and io_uring, also after a remount', () =>
  withProgram(async (program) => {
    const jobs = await permitted(program);
    for (const job of jobs) await program.sh('fio', fioArgs(program, job));
    await program.mount.remount();
    for (const job of jobs) await program.sh('fio', [...fioArgs(program, job), '--verify_only']);
  }));

test('fio finds a byte that was changed behind its back', () =>
  withProgram(async (program) => {
    const job: Job = { name: 'psync', engine: 'psync' };
    await program.sh('fio', fioArgs(program, job));
    const fd = fs.openSync(join(program.mnt, 'psync.0.0'), 'r+');
    fs.writeSync(fd, Buffer.from([1, 2, 3]), 0, 3, 1_000_000);
    fs.closeSync(fd);
    const found = await run('fio', [...fioArgs(program, job), '--verify_only']);
    assert.is.not(found.code, 0);
    assert.match(found.stderr + found.stdout, /verify/);
  }));

test('fio --verify: two processes write files of their own, two threads one file’s halves', () =>
  withProgram(async (program) => {
    const job: Job = { name: 'processes', engine: 'psync', options: ['--numjobs=2', '--fsync=64'] };
    await program.sh('fio', fioArgs(program, job));
    const halves = ['--numjobs=2', '--thread', '--filename=one', '--offset_increment=4m'];
    const threads: Job = { name: 'threads', engine: 'psync', options: [...halves, '--size=4m'] };
    await program.sh('fio', fioArgs(program, threads));
    await program.mount.remount();
    await program.sh('fio', [...fioArgs(program, job), '--verify_only']);
    await program.sh('fio', [...fioArgs(program, threads), '--verify_only']);
  }));

test.run();
