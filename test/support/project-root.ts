/** The checkout that the tests belong to. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of tsconfig.json; `FEEDFS_ROOT` names it where the output lies elsewhere. */
export function projectRoot(): string {
  const given = process.env.FEEDFS_ROOT;
  if (given !== undefined) return given;
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'tsconfig.json'))) {
    if (folder === dirname(folder)) throw new Error('no tsconfig.json above the tests');
    folder = dirname(folder);
  }
  return folder;
}
