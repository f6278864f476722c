/** The store that is damaged: the newest of the frozen ones, so that a seed means the same each time. */
import { join } from 'node:path';
import { Store } from '../../src/store/store.js';
import { readFrozen, thaw } from '../support/frozen-store.js';
import { projectRoot } from '../support/project-root.js';

const FILE = 'test/formats/format-2.json.gz';

/** Makes it at `path`, which must not exist. */
export async function makeFrozenStore(path: string): Promise<void> {
  thaw(readFrozen(join(projectRoot(), FILE)), path);
  // What another boot left to be settled is settled.
  await Store.open(path, { create: false }).close();
}
