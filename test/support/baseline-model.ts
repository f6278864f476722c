/** What the entries of a baseline say, checked as a careful reader would, as a namespace model. */
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import type { Fid } from '../../src/base/fid.js';
import { isDirectory } from '../../src/base/mode.js';
import type {
  BaselineEntry,
  BaselineHead,
  BaselineObject,
  BaselineXattr,
} from '../../src/rpc/baseline.js';
import { baselineEntries } from '../../src/rpc/baseline-entry.js';
import type { ModelNode } from './replayer.js';

export interface BaselineModel {
  readonly head: BaselineHead;
  readonly nodes: Map<Fid, ModelNode>;
  readonly objects: ReadonlyMap<Fid, BaselineObject>;
  readonly names: number;
}

/** `chunks`: what the reads gave, each of whole entries. */
export function modelOfBaseline(chunks: readonly Uint8Array[]): BaselineModel {
  const entries = chunks.flatMap((chunk) => [...baselineEntries(chunk)]);
  const [first, ...rest] = entries;
  if (first?.kind !== 'head') throw new Error('no head');
  const model = new Model();
  for (const entry of rest) model.add(entry);
  const end = must(model.end, 'the end');
  assert.is(end.objects, model.objects.size);
  assert.is(end.names, model.names);
  assert.is(first.objects, model.objects.size);
  model.check();
  return { head: first, nodes: model.nodes, objects: model.objects, names: model.names };
}

class Model {
  readonly nodes = new Map<Fid, ModelNode>();
  readonly objects = new Map<Fid, BaselineObject>();
  names = 0;
  end: Extract<BaselineEntry, { kind: 'end' }> | undefined;
  /** Extended attributes that must follow before anything else. */
  #xattrsDue: { readonly fid: Fid; count: number } = { fid: 0 as Fid, count: 0 };

  add(entry: BaselineEntry): void {
    if (this.end !== undefined) throw new Error(`${entry.kind} behind the end`);
    if (entry.kind !== 'xattr' && this.#xattrsDue.count > 0) throw new Error('lacks an xattr');
    switch (entry.kind) {
      case 'head':
        throw new Error('a second head');
      case 'object':
        return this.#object(entry);
      case 'xattr':
        return this.#xattr(entry);
      case 'name':
        this.names++;
        if (isDirectory(must(this.objects.get(entry.fid), 'object').attributes.mode)) {
          throw new Error('a directory with two names');
        }
        return this.#enter(entry.parent, entry.name, entry.fid);
      case 'end':
        this.end = entry;
    }
  }

  /** The links that each has are those that it says. */
  check(): void {
    const names = new Map<Fid, number>();
    for (const { entries } of this.nodes.values()) {
      for (const fid of entries.values()) names.set(fid, (names.get(fid) ?? 0) + 1);
    }
    for (const [fid, { attrs }] of this.nodes) {
      if (!isDirectory(attrs.mode)) assert.is(names.get(fid), attrs.nlink, `links of ${fid}`);
    }
  }

  #object(entry: BaselineObject): void {
    const { fid, parent, name, target, attributes, xattrs } = entry;
    if (this.names > 0) throw new Error('an object behind the names');
    if (this.objects.has(fid)) throw new Error(`object ${fid} twice`);
    const { mode, uid, gid, size, nlink, rdev, atime, mtime, ctime } = attributes;
    const attrs = { mode, uid, gid, size, nlink, rdev, atime, mtime, ctime };
    this.objects.set(fid, entry);
    this.nodes.set(fid, { attrs, target, xattrs: new Map(), entries: new Map() });
    this.#xattrsDue = { fid, count: xattrs };
    if (parent === 0) assert.is(this.nodes.size, 1, 'the root comes first');
    else this.#enter(parent, name, fid);
  }

  #xattr({ fid, name, value }: BaselineXattr): void {
    assert.is(fid, this.#xattrsDue.fid, 'of the object before it');
    assert.ok(this.#xattrsDue.count > 0, 'one too many');
    this.#xattrsDue.count--;
    must(this.nodes.get(fid), 'object').xattrs.set(name, Buffer.from(value).toString('hex'));
  }

  #enter(parent: Fid, name: string, fid: Fid): void {
    const { attrs, entries } = must(this.nodes.get(parent), `directory ${parent} before ${name}`);
    assert.ok(isDirectory(attrs.mode), `${parent} is no directory`);
    assert.not.ok(entries.has(name), `${name} twice in ${parent}`);
    entries.set(name, fid);
  }
}
