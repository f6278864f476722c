/**
 * Starting the daemon in the background. The parent starts the same program with
 * `mount -f --ready-fd 3` in a session of its own and waits for one line on
 * that descriptor; until then the child's standard error is the parent's.
 */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { must } from '../base/assert.js';
import { CliError } from './cli-error.js';
import { ExitCode } from './exit-codes.js';
import type { Failure } from './failures.js';
import { MOUNT_READY_MS_MAX, READY_LINE_BYTES_MAX } from './limits.js';

/** The line that the child writes. */
export type ReadyMessage =
  | { readonly ready: true }
  | { readonly ready: false; readonly failure: Failure };

export const READY_FD = 3;

/** What node runs as `feedfs`. */
export const PROGRAM = fileURLToPath(new URL('./main.js', import.meta.url));

/** Something takes long: the parent waits for another {@link MOUNT_READY_MS_MAX}. */
export function reportProgress(fd: number): void {
  // Blank space before the line.
  fs.writeSync(fd, ' ');
}

/** Writes the one line and closes the descriptor. */
export function reportReady(fd: number, message: ReadyMessage): void {
  fs.writeSync(fd, `${JSON.stringify(message)}\n`);
  fs.closeSync(fd);
}

/** Starts `argv` (what follows `feedfs`) in the background; its pid, once it is ready. Throws its failure. */
export async function startInBackground(argv: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, PROGRAM, ...argv], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  });
  const pipe = must(child.stdio[READY_FD], 'ready pipe') as Readable;
  const message = await readMessage(pipe);
  pipe.destroy();
  if (message?.ready) {
    child.unref();
    return must(child.pid, 'pid of the daemon');
  }
  if (message !== undefined) throw new CliError(message.failure.exitCode, message.failure.message);
  child.kill('SIGKILL');
  throw new CliError(
    ExitCode.FAILURE,
    'the daemon ended before it was ready; feedfs fsck says whether the store is damaged',
  );
}

/** Undefined if the child ended without the line, or took too long without a word. */
export function readMessage(pipe: Readable): Promise<ReadyMessage | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const timer = setTimeout(() => finish(), MOUNT_READY_MS_MAX);
    const finish = (): void => {
      clearTimeout(timer);
      resolve(parseMessage(text));
    };
    pipe.setEncoding('utf8');
    pipe.on('data', (part: string) => {
      timer.refresh();
      text += part;
      if (text.includes('\n') || text.length > READY_LINE_BYTES_MAX) finish();
    });
    pipe.on('end', finish);
    pipe.on('error', finish);
  });
}

function parseMessage(text: string): ReadyMessage | undefined {
  const end = text.indexOf('\n');
  return end < 0 ? undefined : (JSON.parse(text.slice(0, end)) as ReadyMessage);
}
