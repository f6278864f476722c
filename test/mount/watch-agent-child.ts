/**
 * A process that becomes the user of its argument for good (JSON of uid, gid, groups) and
 * then does what it is told: one JSON request for each line of its input, one JSON answer
 * for each line of its output, in this order except for reads that wait.
 */
import * as fs from 'node:fs';
import { createInterface } from 'node:readline';
import koffi from 'koffi';
import type { AgentAnswer, AgentRequest, AgentUser } from './watch-agent.js';

const poll = koffi.load('libc.so.6').func('int poll(void *fds, unsigned long count, int timeout)');
const POLLFD_BYTES = 8;
const READ_BYTES = 65_536;

const who = JSON.parse(process.argv[2] ?? '') as AgentUser;
if (process.getuid?.() === 0) {
  process.setgroups?.([...who.groups]);
  process.setgid?.(who.gid);
  process.setuid?.(who.uid);
}

function isReadable(fd: number): boolean {
  const pollfd = Buffer.alloc(POLLFD_BYTES);
  pollfd.writeInt32LE(fd, 0);
  pollfd.writeInt16LE(1, 4);
  return poll(pollfd, 1, 0) > 0 && (pollfd.readInt16LE(6) & 1) !== 0;
}

/** All there is, of a descriptor that does not wait. */
function readAll(fd: number): string {
  const chunk = Buffer.alloc(READ_BYTES);
  let text = '';
  for (;;) {
    try {
      text += chunk.toString('utf8', 0, fs.readSync(fd, chunk, 0, chunk.length, null));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return text;
      throw error;
    }
  }
}

/** Whether a directory can be searched and listed by its path. */
function mayList(path: string): boolean {
  try {
    fs.statSync(`${path}/.`);
    fs.readdirSync(path);
    return true;
  } catch {
    return false;
  }
}

function mayRead(path: string): boolean {
  try {
    fs.accessSync(path, fs.constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function obey(request: AgentRequest): unknown {
  switch (request.call) {
    case 'open':
      return fs.openSync(request.path, request.flags);
    case 'close':
      return fs.closeSync(request.fd);
    case 'write':
      return fs.writeSync(request.fd, request.text);
    case 'readAll':
      return readAll(request.fd);
    case 'isReadable':
      return isReadable(request.fd);
    case 'mayList':
      return request.paths.map(mayList);
    case 'mayRead':
      return mayRead(request.path);
    case 'pread':
      return fs.readSync(request.fd, Buffer.alloc(1), 0, 1, 0);
    case 'readWaiting':
      throw new Error('is answered later');
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? `${error.code}` : `${error}`;
}

function answer(id: number, result: AgentAnswer): void {
  fs.writeSync(1, `${JSON.stringify({ id, ...result })}\n`);
}

createInterface(process.stdin).on('line', (line) => {
  const { id, request } = JSON.parse(line) as { id: number; request: AgentRequest };
  if (request.call === 'readWaiting') {
    const into = Buffer.alloc(READ_BYTES);
    fs.read(request.fd, into, 0, into.length, null, (error, length) =>
      answer(id, error ? { error: codeOf(error) } : { value: into.toString('utf8', 0, length) }),
    );
    return;
  }
  try {
    answer(id, { value: obey(request) ?? null });
  } catch (error) {
    answer(id, { error: codeOf(error) });
  }
});
