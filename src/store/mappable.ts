/** The last look at LMDB's file before LMDB maps it. */
import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { type EnvironmentFile, missingBytes, type Snapshot } from './environment-file.js';
import { StoreError } from './errors.js';
import { type PageProblem, PageReader } from './page-reader.js';

/**
 * Throws StoreError(corrupt) if the root of a table is damaged: a few pages, which every use
 * of the table reads, and LMDB may end the process over one. And if the file is shorter than its snapshot says and a page
 * that is used is missing; gives it its full length if none is. Costs a look at every
 * page, but only then.
 */
export function makeMappable(path: string, file: EnvironmentFile, snapshot: Snapshot): void {
  makeWhole(path, file, snapshot);
  checkRoots(path, file, snapshot);
}

function makeWhole(path: string, file: EnvironmentFile, snapshot: Snapshot): void {
  const missing = missingBytes(file);
  if (missing === 0) return;
  const problem = firstProblem(path, file, snapshot);
  if (problem !== undefined) {
    throw new StoreError(
      'corrupt',
      `${path} is cut short or damaged (page ${problem.page}: ${problem.message}); ` +
        'run feedfs fsck, restore it from a backup',
    );
  }
  const fd = openSync(path, 'r+');
  ftruncateSync(fd, file.size + missing);
  closeSync(fd);
}

function firstProblem(
  path: string,
  file: EnvironmentFile,
  snapshot: Snapshot,
): PageProblem | undefined {
  let first: PageProblem | undefined;
  const reader = new PageReader(path, file, snapshot, (problem) => {
    first ??= problem;
  });
  try {
    for (const table of reader.tables) {
      for (const _entry of reader.entries(table)) if (first !== undefined) return first;
    }
    return first;
  } finally {
    reader.close();
  }
}

function checkRoots(path: string, file: EnvironmentFile, snapshot: Snapshot): void {
  let first: PageProblem | undefined;
  const reader = new PageReader(
    path,
    file,
    snapshot,
    (problem) => {
      first ??= problem;
    },
    { tolerant: true },
  );
  reader.checkRoots();
  reader.close();
  if (first === undefined) return;
  const { table, page, message } = first;
  throw new StoreError(
    'corrupt',
    `${path} is damaged (table ${table}, page ${page}: ${message}); run feedfs fsck`,
  );
}
