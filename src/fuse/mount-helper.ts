/** Running mount(8), umount(8) and fusermount3(1), and reading the table of mounts. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { HELPER_OUTPUT_BYTES_MAX } from './limits.js';

export interface HelperResult {
  /** False: there is no such program. */
  readonly found: boolean;
  /** Exit code; -1 if a signal ended it. */
  readonly status: number;
  readonly complaint: string;
}

export interface HelperOptions {
  /** Inherited as descriptor 3. */
  readonly fd?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Helpers report in English, so that their complaints can be told apart. */
export function runHelper(
  program: string,
  args: readonly string[],
  { fd, env }: HelperOptions = {},
): Promise<HelperResult> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe', ...(fd === undefined ? [] : [fd])],
      env: { ...process.env, ...env, LC_ALL: 'C' },
    });
    let complaint = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (complaint.length < HELPER_OUTPUT_BYTES_MAX) complaint += text;
    });
    child.on('error', () => resolve({ found: false, status: -1, complaint: '' }));
    child.on('close', (status) => {
      resolve({ found: true, status: status ?? -1, complaint: complaint.trim() });
    });
  });
}

export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** Whether something is mounted exactly at `path`, which must be absolute and resolved. Touches no mount. */
export function isMountpoint(path: string): boolean {
  return readFileSync('/proc/self/mountinfo', 'latin1')
    .split('\n')
    .some((line) => mountpointOf(line) === path);
}

/** Field 5 of a mountinfo line; blanks and backslashes stand there in octal. */
export function mountpointOf(line: string): string | undefined {
  const field = line.split(' ')[4];
  if (field === undefined) return undefined;
  const raw = field.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return Buffer.from(raw, 'latin1').toString('utf8');
}
