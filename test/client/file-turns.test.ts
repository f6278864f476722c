/** When a file may be used beside other mounts: what waits for what, step by step. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../src/base/errno.js';
import type { Fid } from '../../src/base/fid.js';
import { ALONE, type Coherence } from '../../src/client/coherence.js';
import { FileState } from '../../src/client/file-state.js';
import { FileTurns } from '../../src/client/file-turns.js';
import type { Attributes, Connection, Opened } from '../../src/rpc/messages.js';

const FID = 77 as Fid;
const TIME = { sec: 1, nsec: 0 };
const ATTRIBUTES = { fid: FID, size: 5, layout: 'empty', generation: 0, mtime: TIME, blocks: 0 };

class Setting {
  readonly log: string[] = [];
  readonly file = new FileState(ATTRIBUTES as Attributes);
  mayCache = true;
  hasExclusive = false;
  isOwed = false;
  /** Answers to `lock`, and to `contents`, that are on their way. */
  readonly locks: ((errno: Errno | 0) => void)[] = [];
  readonly contents: ((errno: Errno | 0, opened: Opened | undefined) => void)[] = [];
  readonly turns: FileTurns;

  constructor() {
    const coherence: Coherence = {
      ...ALONE,
      shared: true,
      mayCache: () => this.mayCache,
      hasExclusive: () => this.hasExclusive,
      isOwed: () => this.isOwed,
      exclusive: (_fid, done) => this.locks.push(done),
    };
    const call = (method: string, _request: unknown, answer: never): void => {
      this.log.push(method);
      this.contents.push(answer);
    };
    this.turns = new FileTurns({
      mds: { call } as unknown as Connection,
      coherence,
      adopt: () => this.log.push('adopt'),
      release: (file) => file.users--,
    });
  }

  /** Somebody else wants the file: the grants are gone. */
  recalled(): void {
    this.mayCache = false;
    this.hasExclusive = false;
  }

  granted(): void {
    this.mayCache = true;
    this.hasExclusive = true;
    this.locks.shift()?.(0);
  }

  told(): void {
    this.contents.shift()?.(0, { attributes: ATTRIBUTES as Attributes, contents: undefined });
  }

  change(name: string): void {
    this.turns.whenAlone(this.file, (errno) => this.log.push(`${name} ${errno}`));
  }

  resize(name: string): void {
    this.turns.whenAloneOrOwed(this.file, (errno, alone) =>
      this.log.push(`${name} ${errno}${alone ? ' alone' : ''}`),
    );
  }

  look(name: string): void {
    this.turns.whenFresh(this.file, (errno) => this.log.push(`${name} ${errno}`));
  }
}

test('changes wait for the file together, and are made in order', () => {
  const setting = new Setting();
  setting.change('first');
  setting.change('second');
  assert.is(setting.locks.length, 1, 'asked for once');
  setting.granted();
  assert.equal(setting.log, ['first 0', 'second 0']);
  setting.change('third');
  assert.is(setting.log.at(-1), 'third 0', 'at once while it is ours');
  assert.is(setting.file.users, 0);
});

test('what was given is used, though it is taken back meanwhile: whoever takes it waits', () => {
  const setting = new Setting();
  setting.file.stale = true;
  setting.change('change');
  setting.granted();
  assert.equal(setting.log, ['contents'], 'it is not known what is there');
  setting.recalled();
  setting.turns.whenIdle(setting.file, () => setting.log.push('idle'));
  setting.file.stale = true;
  assert.equal(setting.log, ['contents']);
  setting.told();
  assert.equal(setting.log, ['contents', 'adopt', 'change 0', 'idle']);
  assert.not.ok(setting.turns.isFresh(setting.file));
  setting.change('next');
  assert.is(setting.locks.length, 1, 'the next one asks again');
});

test('a look asks what is there, once for all, and again after a recall', () => {
  const setting = new Setting();
  setting.look('known');
  setting.recalled();
  setting.look('first');
  setting.look('second');
  assert.equal(setting.log, ['known 0', 'contents']);
  setting.told();
  assert.equal(setting.log.slice(2), ['adopt', 'first 0', 'second 0']);
  setting.look('uncached');
  assert.is(setting.log.at(-1), 'contents', 'nothing may be kept');
});

test('what is not recorded here is known here', () => {
  const setting = new Setting();
  setting.recalled();
  setting.file.stale = true;
  setting.file.dirty = true;
  setting.look('own');
  assert.equal(setting.log, ['own 0']);
});

test('refusals, and a file that is lost', () => {
  const setting = new Setting();
  setting.change('change');
  setting.locks.shift()?.(Errno.ESTALE);
  assert.equal(setting.log, [`change ${Errno.ESTALE}`]);
  setting.recalled();
  setting.look('look');
  setting.contents.shift()?.(Errno.ESTALE, undefined);
  assert.is(setting.log.at(-1), `look ${Errno.ESTALE}`);
  assert.ok(setting.file.stale);
  setting.look('late');
  setting.file.lost = true;
  setting.told();
  assert.is(setting.log.at(-1), `late ${Errno.EIO}`);
  assert.not.ok(setting.log.includes('adopt'));
  setting.change('lost');
  setting.look('lost');
  assert.equal(setting.log.slice(-2), [`lost ${Errno.EIO}`, `lost ${Errno.EIO}`]);
});

test('a change of size does not wait for a file that others want', () => {
  const setting = new Setting();
  setting.resize('first');
  setting.change('write');
  setting.resize('second');
  assert.equal([setting.log, setting.locks.length], [[], 1]);
  setting.isOwed = true;
  setting.turns.wanted(setting.file);
  assert.equal(setting.log, ['first 0', 'second 0']);
  setting.resize('third');
  assert.is(setting.log.at(-1), 'third 0');
  setting.granted();
  assert.equal(setting.log.slice(3), ['write 0'], 'none of them goes twice');
  setting.resize('own');
  assert.is(setting.log.at(-1), 'own 0 alone', 'who has it exclusively uses it');
});

test('a change of size waits like others where nobody wants the file', () => {
  const setting = new Setting();
  setting.resize('first');
  setting.granted();
  setting.turns.wanted(setting.file);
  assert.equal(setting.log, ['first 0 alone']);
  setting.recalled();
  setting.resize('refused');
  setting.locks.shift()?.(Errno.ESTALE);
  assert.is(setting.log.at(-1), `refused ${Errno.ESTALE}`);
  setting.file.lost = true;
  setting.resize('lost');
  assert.is(setting.log.at(-1), `lost ${Errno.EIO}`);
});

test('a mount that is alone never waits', () => {
  const setting = new Setting();
  const parts = { mds: {} as Connection, adopt: () => {}, release: () => {} };
  const turns = new FileTurns({ ...parts, coherence: ALONE });
  turns.whenAlone(setting.file, () => setting.log.push('change'));
  turns.whenFresh(setting.file, () => setting.log.push('look'));
  assert.equal(setting.log, ['change', 'look']);
});

test.run();
