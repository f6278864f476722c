/** Every case of this folder, and the two ways to run them. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { accessTimes } from './access-times.js';
import { aclAccess } from './acl-access.js';
import { acls } from './acls.js';
import { allocation } from './allocation.js';
import { attributes } from './attributes.js';
import { capabilities } from './capabilities.js';
import type { PosixCase } from './case.js';
import { coherence } from './coherence.js';
import { copying } from './copying.js';
import { defaultAcls } from './default-acls.js';
import { deleted } from './deleted.js';
import { directories } from './directories.js';
import { files } from './files.js';
import { kindsOfObjects } from './kinds-of-objects.js';
import { largeDirectories } from './large-directories.js';
import { links } from './links.js';
import { locks } from './locks.js';
import { mappings } from './mappings.js';
import { mounts } from './mounts.js';
import { nameless } from './nameless.js';
import { names } from './names.js';
import { opening } from './opening.js';
import { owners } from './owners.js';
import { permissions } from './permissions.js';
import { rename } from './rename.js';
import { resolution } from './resolution.js';
import { setId } from './set-id.js';
import { sparse } from './sparse.js';
import { sticky } from './sticky.js';
import { times } from './times.js';
import { umask } from './umask.js';
import { xattrs } from './xattrs.js';

export const ALL_CASES: readonly PosixCase[] = [
  ...names,
  ...resolution,
  ...permissions,
  ...sticky,
  ...owners,
  ...setId,
  ...umask,
  ...times,
  ...files,
  ...opening,
  ...kindsOfObjects,
  ...coherence,
  ...sparse,
  ...allocation,
  ...copying,
  ...mappings,
  ...accessTimes,
  ...directories,
  ...largeDirectories,
  ...deleted,
  ...links,
  ...nameless,
  ...rename,
  ...mounts,
  ...locks,
  ...attributes,
  ...xattrs,
  ...acls,
  ...aclAccess,
  ...defaultAcls,
  ...capabilities,
];

export const isRoot = process.getuid?.() === 0;

/** The cases that this process has the rights for. */
export const runnableCases = ALL_CASES.filter((one) => isRoot || !one.root);

/** Runs one case in a new directory below `base`, and removes it. */
export async function runCase(one: PosixCase, base: string): Promise<void> {
  const dir = fs.mkdtempSync(join(base, 'case-'));
  fs.chmodSync(dir, 0o755);
  const umask = process.umask(0o022);
  try {
    await one.run(dir);
  } finally {
    process.umask(umask);
    fs.rmSync(dir, { recursive: true, force: true });
  }
}
