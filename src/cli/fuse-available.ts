/** Whether this user can mount at all, looked at before anything is started. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { MountError } from '../fuse/mount-error.js';
import { isRoot } from '../fuse/mount-helper.js';

/** The first directory of `searchPath` that has an executable of this name. */
export function findExecutable(name: string, searchPath: string | undefined): string | undefined {
  for (const directory of (searchPath ?? '').split(':')) {
    if (directory === '') continue;
    const file = path.join(directory, name);
    try {
      fs.accessSync(file, fs.constants.X_OK);
      return file;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

/** Root mounts by itself; everyone else needs fusermount3. Throws MountError. */
export function checkHelper(searchPath: string | undefined): void {
  if (isRoot() || findExecutable('fusermount3', searchPath) !== undefined) return;
  throw new MountError(
    'no-fusermount',
    'fusermount3 is missing, without which only root can mount: apt-get install fuse3',
  );
}
