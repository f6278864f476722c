/** fsck of a store whose files are damaged anywhere, without LMDB: it ends, and nothing is lost without a word. */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fsckStore } from '../../src/mds/fsck.js';
import { pathsOf } from '../../src/store/store-directory.js';
import { removeFolder, TEMP_PREFIX } from '../support/mount.js';
import { makeFrozenStore } from './frozen.js';
import { mutate } from './mutate.js';
import type { Target } from './target.js';

/** The first two pages are the meta pages, of which one may be of no use any more. */
const META_BYTES = 2 * 4_096;

export const pages: Target = {
  name: 'pages',
  holds: 'fsck finds something, or sees all that was there',
  cases: 200,
  open: async () => {
    const folder = fs.mkdtempSync(join(tmpdir(), TEMP_PREFIX));
    const path = join(folder, 'store');
    await makeFrozenStore(path);
    const { data } = pathsOf(path);
    const whole = fs.readFileSync(data);
    const counts = JSON.stringify(fsckStore(path).checked);
    return {
      generate: (random) => mutate(whole, random),
      check: (input) => {
        fs.writeFileSync(data, input);
        const { findings, checked } = fsckStore(path);
        const same = JSON.stringify(checked) === counts;
        const metaTouched = !whole.subarray(0, META_BYTES).equals(input.subarray(0, META_BYTES));
        if (findings.length === 0 && !same && !metaTouched) throw new Error('lost without a word');
      },
      show: (input) => `a file of ${input.length} bytes instead of ${whole.length}`,
      shrinkChecksMax: 1,
      close: () => removeFolder(folder),
    };
  },
};
