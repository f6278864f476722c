/** What the kernel is told of a copy that changes: of what it knows, once, and pages in any case. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno, FsError } from '../../src/base/errno.js';
import { controlFid, type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { COPY_KNOWN_MAX, COPY_NAMES_UNTOLD_MAX, COPY_VALID_MS } from '../../src/client/limits.js';
import { KernelView } from '../../src/client/replica/kernel-view.js';

const D = 131_073 as Fid;
const F = 131_074 as Fid;
const G = 131_075 as Fid;
const A = nameFromText('a');
const B = nameFromText('b');

class Kernel {
  readonly told: string[] = [];
  /** How many more it takes. */
  room = Number.POSITIVE_INFINITY;

  invalidateInode(fid: number, offset: number): void {
    this.#take(`${fid} ${offset < 0 ? 'attributes' : 'pages'}`);
  }

  invalidateEntry(parent: number, name: string): void {
    this.#take(`${parent}/${name}`);
  }

  #take(what: string): void {
    if (this.room-- <= 0) throw new FsError(Errno.ENOMEM, 'full');
    this.told.push(what);
  }
}

function make(): { kernel: Kernel; view: KernelView } {
  const kernel = new Kernel();
  return { kernel, view: new KernelView(kernel) };
}

test('only of what it knows, and once however often that changes', () => {
  const { kernel, view } = make();
  assert.is(view.entryMs(ROOT_FID), COPY_VALID_MS);
  assert.is(view.entryMs(D), 0);
  assert.is(view.attributesMs(F), 0);
  view.named(F);
  assert.is(view.attributesMs(F), COPY_VALID_MS);
  for (let i = 0; i < 2; i++) {
    view.object(F);
    view.object(G);
    view.entry(ROOT_FID, A);
    view.entry(ROOT_FID, B);
    view.entry(D, A);
  }
  view.flush();
  assert.equal(kernel.told.sort(), ['1 attributes', '1/a', '1/b', `${F} attributes`]);
  view.flush();
  assert.is(kernel.told.length, 4);
});

test('what it forgets it is not told of', () => {
  const { kernel, view } = make();
  view.named(D);
  view.named(F);
  view.named(G);
  view.object(G);
  for (const nodeId of [F, G]) view.forget([{ nodeId, nlookup: 1 }]);
  view.object(D);
  view.object(F);
  view.flush();
  assert.equal(kernel.told, [`${D} attributes`]);
});

test('a FORGET of an old acquaintance that comes late does not end the new one', () => {
  const { kernel, view } = make();
  for (let i = 0; i < 3; i++) view.named(F);
  view.forget([{ nodeId: F, nlookup: 2 }]);
  view.object(F);
  view.flush();
  assert.equal(kernel.told, [`${F} attributes`]);
  view.forget([{ nodeId: F, nlookup: 1 }]);
  view.object(F);
  view.flush();
  assert.is(kernel.told.length, 1);
});

test('what it has no room for now it is told later', () => {
  const { kernel, view } = make();
  view.named(D);
  view.object(D);
  view.entry(ROOT_FID, A);
  kernel.room = 0;
  view.flush();
  assert.equal(kernel.told, []);
  assert.ok(view.unsent);
  kernel.room = Number.POSITIVE_INFINITY;
  view.flush();
  assert.equal(kernel.told.sort(), ['1 attributes', '1/a', `${D} attributes`].sort());
  assert.not.ok(view.unsent);
});

test('of names without end it is not told: those it believes for a second only', () => {
  const { kernel, view } = make();
  kernel.room = 0;
  view.object(ROOT_FID);
  for (let i = 0; i <= COPY_NAMES_UNTOLD_MAX; i++) view.entry(ROOT_FID, nameFromText(`${i}`));
  view.flush();
  kernel.room = Number.POSITIVE_INFINITY;
  view.flush();
  assert.equal(kernel.told, ['1 attributes']);
});

test('pages of open files wait until it takes them', () => {
  const { kernel, view } = make();
  view.named(D);
  for (const fid of [D, F, G]) view.pages(fid);
  view.object(D);
  kernel.room = 1;
  view.flush();
  assert.equal(kernel.told, [`${D} pages`]);
  assert.ok(view.unsent);
  kernel.room = Number.POSITIVE_INFINITY;
  view.flush();
  assert.not.ok(view.unsent);
  assert.equal(kernel.told, [`${D} pages`, `${F} pages`, `${G} pages`, `${D} attributes`]);
});

test('more than can be remembered it may not keep, and is told of whatever changes', () => {
  const { kernel, view } = make();
  const unknown = (D - 1) as Fid;
  // The root is one of them.
  for (let i = 1; i < COPY_KNOWN_MAX; i++) view.named((D + i) as Fid);
  view.object(unknown);
  view.flush();
  assert.equal(kernel.told, []);
  view.named(D);
  assert.is(view.attributesMs(D), 0);
  assert.is(view.entryMs(D), 0);
  assert.is(view.attributesMs((D + 1) as Fid), COPY_VALID_MS);
  // An access control list it would keep all the same.
  view.object(D);
  view.object(unknown);
  view.entry(D, A);
  view.flush();
  assert.equal(kernel.told, [`${D} attributes`, `${unknown} attributes`]);

  view.forget([{ nodeId: D + 1, nlookup: 1 }]);
  view.named(D);
  assert.is(view.attributesMs(D), COPY_VALID_MS);
  view.forget([{ nodeId: D, nlookup: 2 }]);
  view.object(D);
  view.object(unknown);
  view.flush();
  assert.is(kernel.told.length, 2);
});

test('the control tree is none of what changes', () => {
  const { kernel, view } = make();
  for (let i = 1; i <= COPY_KNOWN_MAX; i++) view.named((D + i) as Fid);
  view.forget([{ nodeId: controlFid(1), nlookup: 5 }]);
  view.object(D);
  view.flush();
  assert.equal(kernel.told, [`${D} attributes`]);
});

test('once it is a copy no more, nothing is to be told', () => {
  const { kernel, view } = make();
  view.named(D);
  view.end();
  view.object(D);
  view.flush();
  assert.equal(kernel.told, []);
});

test.run();
