/** Which test files there are, and how each wants to be run. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TestFile {
  /** Path below the project, without extension: `test/base/fid.test`. */
  readonly name: string;
  readonly compiled: string;
  /** `plain`: mounts nothing. `mounts`: starts daemons, too. `alone`: runs while nothing else does. */
  readonly kind: 'plain' | 'mounts' | 'alone';
  /** Runs with the other version of Node as well. */
  readonly everyNode: boolean;
  /** Milliseconds until the file is killed and counted as failed. */
  readonly timeoutMs: number;
}

const TIMEOUT_MS = 120_000;
/** Folders whose tests start daemons. */
const MOUNTS = /^test\/(mount|posix|sim|cli|clone)\//;
/** A file elsewhere says so in its name: `session-mounted.test.ts`. */
const MOUNTS_NAME = /mount/;
/** What a file needs it says in comments of its own. */
const TIMEOUT_COMMENT = /^\/\/ test-timeout: (\d+) s$/m;
const ALONE_COMMENT = /^\/\/ test-alone: \S/m;
const ONE_NODE_COMMENT = /^\/\/ test-one-node: \S/m;

/**
 * The test files below `test/` that are compiled. Sources are listed, not the
 * output: a removed test leaves its compiled file behind.
 */
export function findTestFiles(root: string, output: string): TestFile[] {
  return walk(join(root, 'test'))
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => path.slice(root.length + 1, -'.ts'.length))
    .sort()
    .map((name) => describe(name, join(output, `${name}.js`), join(root, `${name}.ts`)))
    .filter((file) => existsSync(file.compiled));
}

function describe(name: string, compiled: string, source: string): TestFile {
  const text = readFileSync(source, 'utf8');
  const timeout = TIMEOUT_COMMENT.exec(text);
  const mounts = MOUNTS.test(name) || MOUNTS_NAME.test(name);
  return {
    name,
    compiled,
    kind: ALONE_COMMENT.test(text) ? 'alone' : mounts ? 'mounts' : 'plain',
    everyNode: !ONE_NODE_COMMENT.test(text),
    timeoutMs: timeout ? Number(timeout[1]) * 1000 : TIMEOUT_MS,
  };
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return walk(path);
    return entry.isFile() ? [path] : [];
  });
}
