// test-timeout: 300 s
/** Random changes: a filtered feed beside an unfiltered one and an independent judge. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renameat2, setxattr } from '../posix/libc.js';
import type { Line } from '../support/feed-line.js';
import { type LineFilter, lineMustPass, TreeModel } from '../support/line-filter.js';
import { type TestMount, withMount } from '../support/mount.js';
import { Random } from '../support/random.js';
import { fidOf, linesOf, setFilter, settled } from './filter-fixture.js';
import { USER } from './ordinary-user.js';

const RENAME_EXCHANGE = 2;

function indexOf(line: string): number {
  return Number((JSON.parse(line) as Line).index);
}

class Steps {
  readonly #mount: TestMount;
  readonly #random: Random;

  constructor(mount: TestMount, random: Random) {
    this.#mount = mount;
    this.#random = random;
  }

  /** One change of something; many fail, because what they need is not there. */
  step(): void {
    const [from, to] = [this.#path(), this.#path()];
    const steps: readonly (() => void)[] = [
      () => fs.mkdirSync(from),
      () => fs.mkdirSync(from),
      () => fs.writeFileSync(from, 'x'.repeat(this.#random.below(20_000))),
      () => fs.appendFileSync(from, 'more'),
      () => fs.renameSync(from, to),
      () => fs.renameSync(from, to),
      () => renameat2(from, to, RENAME_EXCHANGE),
      () => fs.linkSync(from, to),
      () => fs.symlinkSync('nowhere', from),
      () => fs.unlinkSync(from),
      () => fs.rmdirSync(from),
      () => fs.chmodSync(from, this.#random.below(0o1000) | 0o700),
      () => fs.truncateSync(from, this.#random.below(10_000)),
      () => setxattr(from, 'user.x', Buffer.from('value')),
    ];
    try {
      steps[this.#random.below(steps.length)]?.();
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error;
    }
  }

  #path(): string {
    const names = ['in', 'a', 'b.jpg', 'é.jpg', 'c.txt', '.d'];
    const depth = 1 + this.#random.below(4);
    return join(
      this.#mount.mnt,
      ...Array.from({ length: depth }, () => this.#random.pick(names) ?? 'a'),
    );
  }
}

test('a filtered feed has the lines of the unfiltered one that an independent judge picks', () =>
  withMount(async (mount) => {
    mount.feed('all');
    for (const path of ['in', 'in/a', 'a']) fs.mkdirSync(join(mount.mnt, path));
    const [inside, deep] = [fidOf(join(mount.mnt, 'in')), fidOf(join(mount.mnt, 'in/a'))];
    const filters: readonly LineFilter[] = [
      { subtree: inside },
      { subtree: deep },
      { subtree: inside, name: ['*.jpg'] },
      { name: ['*.jpg'] },
      { not: { name: ['*.jpg', '.d'] } },
      { ops: ['rename', 'unlink', 'rmdir'], subtree: deep },
      { ops: ['write', 'setattr', 'setxattr'], name: ['é*'] },
      { uid: [0], gid: [0], not: { ops: ['write'] } },
      { uid: [USER.uid] },
    ];
    for (const [i, filter] of filters.entries()) setFilter(mount, `f${i}`, JSON.stringify(filter));
    await settled(mount);
    const start = linesOf(mount, 'all').length + 1;
    const steps = new Steps(mount, new Random(20_081));
    for (let i = 0; i < 5_000; i++) steps.step();
    await settled(mount);
    const tree = new TreeModel();
    const wanted: string[][] = filters.map(() => []);
    for (const text of linesOf(mount, 'all')) {
      const line = JSON.parse(text) as Parameters<typeof lineMustPass>[1];
      tree.apply(line);
      for (const [i, filter] of filters.entries()) {
        if (indexOf(text) >= start && lineMustPass(filter, line, tree)) wanted[i]?.push(text);
      }
    }
    for (const [i, lines] of wanted.entries()) {
      const actual = linesOf(mount, `f${i}`).filter((text) => indexOf(text) >= start);
      const at = lines.findIndex((text, n) => text !== actual[n]);
      assert.is(at, -1, `${JSON.stringify(filters[i])}: ${lines[at]} but ${actual[at]}`);
      assert.is(actual.length, lines.length);
    }
    const counts = wanted.map(({ length }) => length);
    assert.ok(
      counts.slice(0, -1).every((count) => count > 5),
      `${counts}`,
    );
  }));

test.run();
