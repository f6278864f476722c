/**
 * Runs the tests: every file in a process of its own, two at a time unless it has to be
 * alone, then the same with Node 24 where that matters. A mount, process or file that a
 * test leaves behind fails it. The last line is `N passed, N failed`.
 *
 *     node dist/scripts/run-tests.js [PART-OF-A-NAME...]
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findTestFiles, type TestFile } from './test-runner/files.js';
import { killRunning, runTestFile } from './test-runner/run-file.js';

const OUTPUT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const ROOT = process.env.FEEDFS_ROOT ?? join(OUTPUT, '..');
/** Files that run at a time. */
const PARALLEL = 2;
/** What runs with Node 24 beside all that mount nothing: one file with a real mount. */
const NODE24_MOUNTED = 'test/posix/mounted.test';

/** Set by Ctrl-C: no further file starts. */
let stopping = false;
const totals = { passed: 0, failed: 0, skipped: 0 };

function report(name: string, passed: boolean, detail: string, output: string): void {
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${name.padEnd(48)} ${detail}`);
  if (!passed) console.log(output.replace(/^/gm, '     | '));
}

async function runOne(file: TestFile, node: string, folder: string): Promise<void> {
  if (stopping) return;
  const result = await runTestFile(file, node, folder);
  totals.passed += result.passed;
  totals.failed += result.failed;
  totals.skipped += result.skipped;
  const seconds = `${(result.milliseconds / 1000).toFixed(1)} s`.padStart(7);
  const count = `${result.passed}`.padStart(4);
  const skipped = result.skipped === 0 ? '' : `  ${result.skipped} skipped`;
  report(file.name, result.failed === 0, `${count} passed ${seconds}${skipped}`, result.output);
}

async function runAll(files: readonly TestFile[], node: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'feedfs-run-'));
  // Tests that act as another user pass through it.
  chmodSync(folder, 0o755);
  try {
    const queue = ['plain', 'mounts'].flatMap((kind) => files.filter((f) => f.kind === kind));
    const worker = async () => {
      for (let file = queue.shift(); file; file = queue.shift()) await runOne(file, node, folder);
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
    for (const file of files) if (file.kind === 'alone') await runOne(file, node, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The formatter and linter, counted as one test. */
function runCheck(): void {
  const biome = join(ROOT, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const started = performance.now();
  const result = spawnSync(process.execPath, [biome, 'check', '--colors=off', '.'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const passed = result.status === 0;
  totals[passed ? 'passed' : 'failed'] += 1;
  const seconds = `${((performance.now() - started) / 1000).toFixed(1)} s`.padStart(7);
  report(
    'check (format and lint)',
    passed,
    `${passed ? '   1' : '   0'} passed ${seconds}`,
    result.stdout + result.stderr,
  );
}

/** The Node 24 binary that setup installs for the tests. */
function node24(): string | undefined {
  const platform = `node-linux-${process.arch}`;
  const path = join(ROOT, 'scripts', 'node24', 'node_modules', platform, 'bin', 'node');
  return existsSync(path) ? path : undefined;
}

async function runWithNode24(files: readonly TestFile[]): Promise<void> {
  if (process.env.FEEDFS_NODE24 === 'skip') return;
  const node = node24();
  if (node === undefined) {
    totals.failed += 1;
    console.log(`FAIL Node 24 is not installed (FEEDFS_NODE24=skip leaves it out)`);
    return;
  }
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  console.log(`\nthe same with Node ${version}`);
  await runAll(
    files.filter((f) => f.everyNode && (f.kind === 'plain' || f.name === NODE24_MOUNTED)),
    node,
  );
}

function onInterrupt(signal: 'SIGINT' | 'SIGTERM'): void {
  // Each file then ends, its leftovers are removed, and the run ends as failed.
  process.on(signal, () => {
    stopping = true;
    killRunning();
  });
}

async function main(wanted: readonly string[]): Promise<void> {
  onInterrupt('SIGINT');
  onInterrupt('SIGTERM');
  const all = findTestFiles(ROOT, OUTPUT);
  const chosen =
    wanted.length === 0 ? all : all.filter((f) => wanted.some((w) => f.name.includes(w)));
  if (wanted.length === 0) runCheck();
  await runAll(chosen, process.execPath);
  if (wanted.length === 0 && !stopping) await runWithNode24(all);
  if (totals.skipped > 0) console.log(`\n${totals.skipped} skipped`);
  console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
  process.exitCode = totals.failed === 0 && totals.passed > 0 && !stopping ? 0 : 1;
}

await main(process.argv.slice(2));
