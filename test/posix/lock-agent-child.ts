/**
 * A process that takes locks when told: one JSON request for each line of its
 * input, one JSON answer for each line of its output. It waits for a lock in its
 * only thread, so that a signal ends the wait. It ends with its input.
 */
import * as fs from 'node:fs';
import koffi from 'koffi';
import type { LockAnswer, LockRequest } from './lock-agent.js';
import { getLock, setLock } from './lock-calls.js';

const SIGUSR2 = 12;
const siginterrupt = koffi.load('libc.so.6').func('int siginterrupt(int, int)');

// The handler does nothing: it is there so that the signal interrupts, and does not kill.
process.on('SIGUSR2', () => {});
siginterrupt(SIGUSR2, 1);

const open = new Set<number>();

function obey(request: LockRequest): unknown {
  switch (request.call) {
    case 'open': {
      const fd = fs.openSync(request.path, request.flags);
      open.add(fd);
      return fd;
    }
    case 'close':
      open.delete(request.fd);
      return fs.closeSync(request.fd);
    case 'closeAll':
      for (const fd of open) fs.closeSync(fd);
      return open.clear();
    case 'set':
      return setLock(request.family, request.fd, request.type, request.wait, request.range);
    case 'get':
      return getLock(request.family, request.fd, request.type, request.range) ?? null;
  }
}

function answer(line: string): LockAnswer {
  try {
    return { value: obey(JSON.parse(line) as LockRequest) ?? null };
  } catch (error) {
    return { error: error instanceof Error && 'code' in error ? `${error.code}` : `${error}` };
  }
}

const chunk = Buffer.alloc(65_536);
let pending = '';
for (;;) {
  const length = fs.readSync(0, chunk, 0, chunk.length, null);
  if (length === 0) break;
  const lines = `${pending}${chunk.toString('utf8', 0, length)}`.split('\n');
  pending = lines.pop() ?? '';
  for (const line of lines) fs.writeSync(1, `${JSON.stringify(answer(line))}\n`);
}
process.exit(0);
