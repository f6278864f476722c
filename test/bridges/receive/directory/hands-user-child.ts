/** A receiver's hands as an ordinary user: `hands-user-child.js SCENARIO TARGET STATE`. */
import * as fs from 'node:fs';
import { must } from '../../../../src/base/assert.js';
import { S_IFCHR, S_IFDIR, S_IFIFO } from '../../../../src/base/mode.js';
import {
  type HandsAndShortfalls,
  openHands,
} from '../../../../src/bridges/receive/directory/hands.js';
import { RELAXED_MAX } from '../../../../src/bridges/receive/directory/hands-limits.js';
import type { Step } from '../../../../src/bridges/receive/directory/steps.js';
import {
  aside,
  at,
  attributes,
  contents,
  data,
  failureOf,
  link,
  make,
  makeDirectory,
  makeFile,
  makeSymlink,
  remove,
  rename,
} from './hands-fixture.js';

const READ_ONLY = { attributes: { mode: 0o555 } };
const CLOSED = { attributes: { mode: 0o000 } };

const SCENARIOS: Readonly<Record<string, (hands: HandsAndShortfalls) => Promise<void>>> = {
  /** In directories and files that their owner may not write. */
  'read-only': async (hands) => {
    await hands.inOrder([
      makeDirectory('d', READ_ONLY),
      makeDirectory('d/closed', CLOSED),
      makeDirectory('d/closed/deep', READ_ONLY),
      makeFile('d/closed/deep/f', 'old', { attributes: { mode: 0o444 } }),
      makeFile('d/closed/deep/gone', '', { attributes: { mode: 0o444 } }),
      makeFile('secret', 'old', CLOSED),
    ]);
    // It is as it was when the call is over.
    if ((fs.statSync(`${target}/d`).mode & 0o777) !== 0o555) throw new Error('it is writable');
    await hands.inOrder([
      contents('d/closed/deep/f', { parts: [data(0, 'new')] }),
      contents('secret', { parts: [data(0, 'new')], compare: true }),
      remove('d/closed/deep/gone'),
    ]);
    await hands.inOrder([rename('d/closed/deep', 'd/moved', { type: S_IFDIR })]);
    await hands.inOrder([link('d/moved/f', 'd/closed/linked')]);
    await hands.inOrder([
      attributes('d/moved/f', { xattrs: [{ name: 'user.x', value: Buffer.from('X') }] }),
      attributes('d', { type: S_IFDIR, attributes: { mtime: { sec: 5, nsec: 6 } } }),
    ]);
    must(hands.look(at('d/closed/linked')), 'the second name');
    await hands.flush();
  },
  /** Directories get their modes in the call that fills them. */
  settled: async (hands) => {
    await hands.inOrder([
      makeDirectory('d', CLOSED),
      makeDirectory('e', CLOSED),
      makeFile('d/f'),
      makeFile('e/f'),
      attributes('d', { type: S_IFDIR, attributes: { mode: 0o300 } }),
      attributes('e', { type: S_IFDIR, attributes: { mode: 0o750 } }),
    ]);
  },
  threads: async (hands) => {
    await hands.inOrder([makeDirectory('d', READ_ONLY), makeDirectory('e')]);
    const files = Array.from(
      { length: 600 },
      (_, i): Step =>
        makeFile(`${i % 2 === 0 ? 'd' : 'e'}/f${i}`, `${i}`, { attributes: { mode: 0o444 } }),
    );
    const made = await hands.together(files);
    if (made.length !== files.length || made.some(({ inode }) => inode === 0)) {
      throw new Error('not all of them were made');
    }
  },
  /** What an ordinary user may not do is told, and nothing else. */
  shortfalls: async (hands) => {
    const owner = { uid: 12_345, gid: 54_321 };
    await hands.inOrder([
      makeFile('f', 'x', { attributes: { mode: 0o644, ...owner } }),
      makeFile('set-id', 'x', { attributes: { mode: 0o6755, ...owner } }),
      makeDirectory('d', { attributes: { mode: 0o2755, uid: 12_345 } }),
      makeSymlink('s', 'x', { attributes: owner }),
      make('device', S_IFCHR, { attributes: { mode: 0o666, ...owner }, rdev: 259 }),
      make('pipe', S_IFIFO, { attributes: { mode: 0o640 } }),
      makeFile('trusted', 'x', {
        attributes: { mode: 0o600 },
        xattrs: [
          { name: 'trusted.t', value: Buffer.from('T') },
          { name: 'user.u', value: Buffer.from('U') },
        ],
      }),
      attributes('f', { attributes: { mode: 0o4755 } }),
    ]);
  },
  /** Is killed while something is made writable. */
  killed: async (hands) => {
    await hands.inOrder([makeDirectory('d', CLOSED), makeFile('d/f')]);
    must(hands.look(at('d/f')), 'the file');
    process.kill(process.pid, 'SIGKILL');
  },
  /** A file that is made writable gets the same mode for good. */
  'settled-file': async (hands) => {
    await hands.inOrder([makeFile('f', 'x', { attributes: { mode: 0o444 } })]);
    const xattrs = [{ name: 'user.a', value: Buffer.from('1') }];
    await hands.inOrder([attributes('f', { attributes: { mode: 0o644 }, xattrs })]);
  },
  /** Is killed after what was made writable was moved, with what is in it. */
  'killed-moved': async (hands) => {
    await hands.inOrder([
      makeDirectory('a'),
      makeDirectory('b'),
      makeDirectory('a/d', READ_ONLY),
      makeDirectory('a/d/e', READ_ONLY),
      makeDirectory('a/waits', READ_ONLY),
    ]);
    await hands.inOrder([
      makeFile('a/d/e/f'),
      makeFile('a/waits/f'),
      rename('a/d', 'b/d', { type: S_IFDIR }),
      rename('a/waits', aside('waits'), { type: S_IFDIR }),
      deadly(),
    ]);
  },
  /** Is killed after what was made writable was removed. */
  'killed-removed': async (hands) => {
    await hands.inOrder([makeDirectory('d', READ_ONLY)]);
    await hands.inOrder([makeFile('d/f'), remove('d/f'), remove('d', S_IFDIR), deadly()]);
  },
  /** Makes more writable at a time than there may be, and fails. */
  deep: async (hands) => {
    let path = 'd';
    const steps: Step[] = [];
    for (let i = 0; i <= RELAXED_MAX + 2; i++, path += '/d')
      steps.push(makeDirectory(path, CLOSED));
    const error = await failureOf(hands.inOrder(steps));
    if (error.code !== 'EMFILE') throw error;
    const open = fs.readdirSync('/proc/self/fd').length;
    if (open > RELAXED_MAX) throw new Error(`${open} descriptors are left open`);
  },
  /** Set-id bits that come when it is too late to know whose they are. */
  'set-id': async (hands) => {
    await hands.inOrder([
      makeFile('f', 'x', { attributes: { mode: 0o4755, uid: 1000, gid: 0 } }),
      makeFile('known', 'x', { attributes: { mode: 0o755, uid: 0, gid: 0 } }),
      attributes('known', { attributes: { mode: 0o4755, uid: 0 } }),
    ]);
  },
  'set-id-later': async (hands) => {
    await hands.inOrder([
      attributes('f', { attributes: { mode: 0o4755 } }),
      attributes('known', { attributes: { mode: 0o4711 } }),
    ]);
  },
  /** Opens and closes. */
  nothing: async () => {},
};

/** A step that is the end. */
function deadly(): Step {
  return {
    ...remove('nothing'),
    get do(): 'remove' {
      process.kill(process.pid, 'SIGKILL');
      return 'remove';
    },
  } as Step;
}

const [scenario = '', target = '', stateDirectory = ''] = process.argv.slice(2);
const hands = openHands({ target, stateDirectory, jobs: 2 });
await must(SCENARIOS[scenario], `scenario ${scenario}`)(hands);
await hands.close();
process.stdout.write(JSON.stringify(hands.shortfalls.first));
