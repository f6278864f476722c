/** Programs that ask a mounted feedfs for more than bytes: searching, counting, locks, watches, FIFOs, sockets. */
import * as fs from 'node:fs';
import * as net from 'node:net';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ProgramMount, script, withProgram } from '../programs/program-mount.js';
import { following } from './follow.js';

const MIB = 1024 * 1024;

function lines(text: string): string[] {
  return text.split('\n').slice(0, -1).sort();
}

test('find: -newer, -size, -perm, -inum, -samefile, -empty, -delete', () =>
  withProgram(async (program) => {
    await script(
      program,
      `mkdir -p a/b c; seq 10000 > a/b/big; seq 10 > a/small; ln a/small c/same; : > c/empty
       touch -d '2020-01-01 00:00:00.000000001' mark; touch -d '2020-01-01 00:00:00.000000002' newer
       touch -d '2020-01-01' older; chmod 600 a/small`,
    );
    const find = async (...args: string[]) => lines(await program.sh('find', ['.', ...args]));
    assert.equal(
      await find('-newer', 'mark', '-newermt', '2019-01-01', '!', '-newermt', '2021-01-01'),
      ['./newer'],
    );
    assert.equal(await find('-type', 'f', '-size', '+8k'), ['./a/b/big']);
    assert.equal(await find('-type', 'f', '-perm', '600'), ['./a/small', './c/same']);
    assert.equal(await find('-samefile', 'a/small'), ['./a/small', './c/same']);
    const { ino } = fs.statSync(join(program.mnt, 'a', 'b', 'big'), { bigint: true });
    assert.equal(await find('-inum', `${ino}`), ['./a/b/big']);
    assert.equal(await find('-empty', '-type', 'f', '-size', '0', '-path', './c/*'), ['./c/empty']);
    // One link for the name, one for its own dot, one for its subdirectory's two dots.
    assert.equal(await find('-mindepth', '1', '-type', 'd', '-links', '3'), ['./a']);
    await find('-delete');
    assert.equal(fs.readdirSync(program.mnt), []);
  }));

test('du counts hard links once and holes not at all; df names the filesystem', () =>
  withProgram(async (program) => {
    await script(
      program,
      `mkdir d; head -c 32M /dev/urandom > d/data; ln d/data d/again
       truncate -s 256M d/hole; sync d/data`,
    );
    const [kilobytes] = (await program.sh('du', ['-sk', 'd'])).split('\t');
    const size = Number(kilobytes);
    assert.ok(size >= 32 * 1024 && size < 33 * 1024, `${size} KiB`);
    assert.is(await program.sh('du', ['-b', 'd/hole']), `${256 * MIB}\td/hole\n`);
    const df = ['--output=fstype,target,size', '-B1', 'd/data'];
    const [, line = ''] = (await program.sh('df', df)).split('\n');
    const [type, target, bytes] = line.trim().split(/ +/);
    assert.equal([type, target], ['fuse.feedfs', program.mnt]);
    assert.ok(Number(bytes) >= 32 * MIB, line);
  }));

test('flock(1): one at a time, and -n says so', () =>
  withProgram(async (program) => {
    const count = 'for i in $(seq 100); do flock lock sh -c "echo \\$((\\$(cat n) + 1)) > n"; done';
    await script(program, `echo 0 > n; (${count}) & (${count}) & wait`);
    assert.is(fs.readFileSync(join(program.mnt, 'n'), 'utf8'), '200\n');
    const out = await script(
      program,
      `flock lock sh -c 'flock -n lock echo got || echo held'
       flock -s lock sh -c 'flock -sn lock echo shared; flock -xn lock echo got || echo held'`,
    );
    assert.is(out, 'held\nshared\nheld\n');
  }));

test('inotifywait sees changes made through the mount', () =>
  withProgram(async (program) => {
    const args = ['-m', '-r', '--format', '%e %w%f', program.mnt];
    await following('inotifywait', args, async (watch) => {
      await watch.prints(() => watch.text.includes('Watches established'), 'the watches');
      await script(program, 'mkdir d; echo x > f; mv f g; chmod 600 g; rm g; rmdir d');
      const seen = (event: string) => watch.text.includes(event.replace(' ', ` ${program.mnt}/`));
      await watch.prints(() => seen('DELETE,ISDIR d\n'), 'the last event');
      for (const event of [
        ...['CREATE,ISDIR d', 'CREATE f', 'MODIFY f', 'CLOSE_WRITE,CLOSE f'],
        ...['MOVED_FROM f', 'MOVED_TO g', 'ATTRIB g', 'DELETE g'],
      ]) {
        assert.ok(seen(`${event}\n`), `${event} in ${watch.text}`);
      }
    });
  }));

test('a FIFO on the mount joins two programs, and stays after a remount', () =>
  withProgram(async (program) => {
    const through = 'seq 100000 > pipe & md5sum < pipe; wait';
    const expected = await program.sh('sh', ['-c', 'seq 100000 | md5sum']);
    await program.sh('mkfifo', ['-m', '640', 'pipe']);
    assert.is(await script(program, through), expected);
    await program.mount.remount();
    assert.is(fs.statSync(join(program.mnt, 'pipe')).mode & 0o777, 0o640);
    assert.is(await script(program, through), expected);
  }));

test('a Unix socket on the mount is bound, connected to and removed', () =>
  withProgram(async (program) => {
    const path = join(program.mnt, 'socket');
    const server = net.createServer((socket) => socket.end('hello'));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    try {
      assert.ok(fs.lstatSync(path).isSocket());
      assert.is(await answerOf(path), 'hello');
      assert.is(await bindAgain(path), 'EADDRINUSE');
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    // One that outlives its server is a name that nobody answers at.
    await leaveSocket(program);
    assert.is(
      await answerOf(path).catch((error: NodeJS.ErrnoException) => error.code),
      'ECONNREFUSED',
    );
  }));

function answerOf(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = net.connect(path);
    socket.on('error', reject);
    socket.on('data', (part) => {
      answer += part;
    });
    socket.on('end', () => resolve(answer));
  });
}

function bindAgain(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const second = net.createServer();
    second.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    second.listen(path, () => second.close(() => resolve(undefined)));
  });
}

/** A process binds the socket and ends without removing it. */
async function leaveSocket(program: ProgramMount): Promise<void> {
  const bind = "require('net').createServer().listen('socket', () => process.kill(process.pid, 9))";
  await program.sh('sh', ['-c', '"$0" --eval "$1" || true', process.execPath, bind]);
}

test.run();
