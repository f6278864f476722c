/** Every case of this folder, and the two ways to run them. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { attributes } from './attributes.js';
import type { PosixCase } from './case.js';
import { directories } from './directories.js';
import { files } from './files.js';
import { links } from './links.js';
import { names } from './names.js';
import { rename } from './rename.js';
import { sparse } from './sparse.js';
import { xattrs } from './xattrs.js';

export const ALL_CASES: readonly PosixCase[] = [
  ...names,
  ...files,
  ...sparse,
  ...directories,
  ...links,
  ...rename,
  ...attributes,
  ...xattrs,
];

export const isRoot = process.getuid?.() === 0;

/** The cases that this process has the rights for. */
export const runnableCases = ALL_CASES.filter((one) => isRoot || !one.root);

/** Runs one case in a new directory below `base`, and removes it. */
export function runCase(one: PosixCase, base: string): void {
  const dir = fs.mkdtempSync(join(base, 'case-'));
  fs.chmodSync(dir, 0o755);
  const umask = process.umask(0o022);
  try {
    one.run(dir);
  } finally {
    process.umask(umask);
    fs.rmSync(dir, { recursive: true, force: true });
  }
}
