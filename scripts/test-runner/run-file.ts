/** Runs one test file in a process group of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestFile } from './files.js';
import { collectLeaks, RUN_VARIABLE } from './leaks.js';

export interface FileResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly milliseconds: number;
  /** Output of the file, and what went wrong around it; to be shown if `failed` is not 0. */
  readonly output: string;
}

/** Groups that run now, so that an interrupted run can end them. */
const running = new Set<ChildProcess>();

/** Runs `file` with the Node binary `node`, below the run's temporary directory. */
export async function runTestFile(
  file: TestFile,
  node: string,
  runFolder: string,
): Promise<FileResult> {
  const folder = join(runFolder, file.name.replaceAll('/', '-'));
  mkdirSync(folder);
  const started = performance.now();
  const child = spawn(node, ['--enable-source-maps', file.compiled], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder, [RUN_VARIABLE]: folder, NO_COLOR: '1' },
  });
  running.add(child);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child);
  }, file.timeoutMs);
  // 'exit', not 'close': a leaked daemon may hold the pipe open for ever.
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  clearTimeout(timer);
  running.delete(child);
  const problems = await collectLeaks(folder);
  if (timedOut) problems.unshift(`no end within ${file.timeoutMs / 1000} s`);
  else if (signal !== null) problems.unshift(`ended by ${signal}`);
  const output = Buffer.concat(chunks).toString();
  return judge(output, code, problems, performance.now() - started);
}

/** Ends every test file that runs now, with all of its process group. */
export function killRunning(): void {
  for (const child of running) killGroup(child);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group has ended meanwhile.
  }
}

/** Turns uvu's totals and everything around them into counts. */
export function judge(
  output: string,
  code: number | null,
  problems: readonly string[],
  milliseconds: number,
): FileResult {
  const total = lastNumber(output, 'Total');
  const passed = lastNumber(output, 'Passed') ?? 0;
  const skipped = lastNumber(output, 'Skipped') ?? 0;
  const failures = [...problems];
  let failed = Math.max(0, (total ?? 0) - passed);
  if (total === undefined) {
    if (problems.length === 0) failures.push('the file ended before its tests did (no totals)');
  }
  if (total === 0 && skipped === 0) failures.push('the file has no tests');
  else if (code !== 0 && failures.length === 0 && failed === 0) {
    failures.push(`exit code ${code} although every test passed`);
  }
  failed += failures.length;
  const text = [output.trimEnd(), ...failures.map((line) => `  !! ${line}`)].join('\n');
  return { passed, failed, skipped, milliseconds, output: text };
}

function lastNumber(output: string, label: string): number | undefined {
  const matches = [...output.matchAll(new RegExp(`^  ${label}: +(\\d+)$`, 'gm'))];
  const last = matches.at(-1)?.[1];
  return last === undefined ? undefined : Number(last);
}
