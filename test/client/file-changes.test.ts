/** Changes that had their turn, and of which it is not sure that others have not had theirs since. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../src/base/errno.js';
import type { Fid } from '../../src/base/fid.js';
import { ALONE, type Coherence } from '../../src/client/coherence.js';
import { FileChanges, type FileChangesParts } from '../../src/client/file-changes.js';
import { FileState } from '../../src/client/file-state.js';
import type { Done } from '../../src/client/recorder.js';
import type { Attributes } from '../../src/rpc/messages.js';

const WHO = { uid: 0, gid: 0, pid: 1, jobid: '', nid: '' };
const AUTHOR = { who: WHO, killSuidgid: false };
const ATTRIBUTES = { fid: 7 as Fid, size: 5, layout: 'empty', generation: 0, blocks: 0 };
const BYTES = Uint8Array.of(1);

function setting() {
  const file = new FileState({ ...ATTRIBUTES, mtime: { sec: 1, nsec: 0 } } as Attributes);
  const log: string[] = [];
  const asked: Done[] = [];
  const now = { current: false };
  const coherence: Coherence = {
    ...ALONE,
    shared: true,
    isCurrent: () => now.current,
    whenCurrent: (done) => void asked.push(done),
  };
  const turn = (state: FileState, next: Done): void => {
    log.push('turn');
    next(state.lost ? Errno.EIO : 0);
  };
  const parts = {
    coherence,
    turns: { isAlone: () => false, mustAskAgain: () => false, whenAlone: turn, whenFresh: turn },
    gate: { isShut: () => false },
    room: { mustAsk: false, admit: () => {} },
    recorder: { separate: () => {}, written: () => {}, record: () => {} },
    data: { write: () => void log.push('write') },
  } as unknown as FileChangesParts;
  const done = (errno: Errno | 0, count: number): void => void log.push(`${errno} ${count}`);
  return { file, log, asked, now, changes: new FileChanges(parts), done };
}

for (const how of ['write', 'writeBack'] as const) {
  test(`${how}: nothing is touched before the server was heard of, and then it is its turn anew`, () => {
    const { file, log, asked, now, changes, done } = setting();
    changes[how](file, 0, BYTES, AUTHOR, done);
    assert.equal([log, asked.length], [['turn'], 1]);
    now.current = true;
    asked.shift()?.(0);
    assert.equal(log, ['turn', 'turn', 'write', '0 1']);
  });

  test(`${how}: given up meanwhile, or nobody to be asked`, () => {
    const { file, log, asked, now, changes, done } = setting();
    changes[how](file, 0, BYTES, AUTHOR, done);
    asked.shift()?.(Errno.EIO);
    changes[how](file, 0, BYTES, AUTHOR, done);
    file.lost = true;
    now.current = true;
    asked.shift()?.(0);
    assert.equal(
      log.filter((line) => line !== 'turn'),
      [`${Errno.EIO} 0`, `${Errno.EIO} 0`],
    );
  });
}

test.run();
