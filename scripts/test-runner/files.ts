/** Which test files there are, and how each wants to be run. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TestFile {
  /** Path below the project, without extension: `test/base/fid.test`. */
  readonly name: string;
  readonly compiled: string;
  /** Mounts or loads the machine: runs while nothing else does. */
  readonly exclusive: boolean;
  /** Milliseconds until the file is killed and counted as failed. */
  readonly timeoutMs: number;
}

const TIMEOUT_MS = 120_000;
/** Folders whose tests start daemons. */
const EXCLUSIVE = /^test\/(mount|posix|sim|cli|clone)\//;
/** A file elsewhere says so in its name: `session-mounted.test.ts`. */
const EXCLUSIVE_NAME = /mount/;
/** A file that needs longer says so in a comment of its own: `// test-timeout: 600 s`. */
const TIMEOUT_COMMENT = /^\/\/ test-timeout: (\d+) s$/m;

/**
 * The test files below `test/` that are compiled. Sources are listed, not the
 * output: a removed test leaves its compiled file behind.
 */
export function findTestFiles(root: string, output: string): TestFile[] {
  return walk(join(root, 'test'))
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => path.slice(root.length + 1, -'.ts'.length))
    .sort()
    .map((name) => ({
      name,
      compiled: join(output, `${name}.js`),
      exclusive: EXCLUSIVE.test(name) || EXCLUSIVE_NAME.test(name),
      timeoutMs: timeoutOf(join(root, `${name}.ts`)),
    }))
    .filter((file) => existsSync(file.compiled));
}

function timeoutOf(path: string): number {
  const match = TIMEOUT_COMMENT.exec(readFileSync(path, 'utf8'));
  return match ? Number(match[1]) * 1000 : TIMEOUT_MS;
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return walk(path);
    return entry.isFile() ? [path] : [];
  });
}
