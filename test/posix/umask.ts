/** The mode of what is new: what was asked for, without the bits of the umask. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { modeOf, type PosixCase, posix } from './case.js';
import { mknod } from './libc.js';

const { S_IFIFO, S_IFREG } = fs.constants;
const S_IFSOCK = 0o140000;
const UMASKS = [0, 0o022, 0o027, 0o077, 0o777];
const MODES = [0, 0o151, 0o644, 0o755, 0o777];

interface Maker {
  readonly name: string;
  readonly run: (path: string, mode: number) => void;
}

const MAKERS: readonly Maker[] = [
  { name: 'open', run: (path, mode) => fs.closeSync(fs.openSync(path, 'w', mode)) },
  { name: 'mkdir', run: (path, mode) => fs.mkdirSync(path, mode) },
  { name: 'mkfifo', run: (path, mode) => mknod(path, S_IFIFO | mode) },
  { name: 'mknod of a socket', run: (path, mode) => mknod(path, S_IFSOCK | mode) },
  { name: 'mknod of a file', run: (path, mode) => mknod(path, S_IFREG | mode) },
];

export const umask: readonly PosixCase[] = MAKERS.flatMap(({ name, run }) =>
  UMASKS.map((mask) =>
    posix(`${name} under umask ${mask.toString(8).padStart(3, '0')}`, (dir) => {
      process.umask(mask);
      for (const mode of MODES) {
        const path = join(dir, `m${mode.toString(8)}`);
        run(path, mode);
        assert.is(modeOf(path), mode & ~mask, `asked for ${mode.toString(8)}`);
        // Only creation looks at it.
        fs.chmodSync(path, 0o777);
        assert.is(modeOf(path), 0o777);
      }
    }),
  ),
);
