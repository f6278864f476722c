/** From what was touched and where it was, before and after, to the lines that tell of it. */
import type { Fid } from '../../base/fid.js';
import type { Change, ChangedPart } from './change.js';
import type { EndNames } from './end-names.js';
import { keyPlace, type NameKey } from './name-key.js';
import { Paths } from './paths.js';
import { Aspect, type Touched, type TouchedObject } from './touched.js';

/** Names of one object. */
interface BeforeAndAfter {
  readonly before: ReadonlySet<NameKey>;
  readonly after: ReadonlySet<NameKey>;
}

const NONE: ReadonlySet<NameKey> = new Set();

/** Changes in the order of their paths; `touched` and `names` must not change any more. */
export async function netChanges(touched: Touched, names: EndNames): Promise<Change[]> {
  const history = new History(touched, names);
  await history.learn();
  const [before, after] = [
    new Paths((fid) => only(history.of(fid).before)),
    new Paths((fid) => only(history.of(fid).after)),
  ];
  const changes: Change[] = [];
  for (const [fid, object] of touched.objects) {
    const type = object.type === 0 ? names.typeOf(fid) : object.type;
    const of = history.of(fid);
    const paths = {
      lost: [...of.before].filter((key) => !of.after.has(key)).map((key) => before.of(key)),
      gained: [...of.after].filter((key) => !of.before.has(key)).map((key) => after.of(key)),
      kept: [...of.after].filter((key) => of.before.has(key)).map((key) => after.of(key)),
    };
    changes.push(...changesOf({ fid, type }, object, paths));
  }
  return changes.sort(byPath);
}

/** Names of objects before the range and after it. */
class History {
  readonly #touched: Touched;
  readonly #names: EndNames;

  constructor(touched: Touched, names: EndNames) {
    this.#touched = touched;
    this.#names = names;
  }

  /** Asks for what the records do not tell, until every path leads to the root. */
  async learn(): Promise<void> {
    let wanted = [...this.#touched.objects.keys()].filter((fid) => this.#mustAsk(fid));
    const done = new Set<Fid>();
    let frontier = [...this.#touched.objects.keys()];
    while (frontier.length > 0) {
      await this.#names.learn(wanted);
      const above = new Set<Fid>();
      for (const fid of frontier) {
        done.add(fid);
        const { before, after } = this.of(fid);
        for (const key of [...before, ...after]) {
          const { parent } = keyPlace(key);
          if (parent !== 0 && !done.has(parent)) above.add(parent);
        }
      }
      frontier = [...above];
      wanted = frontier.filter((fid) => this.#mustAsk(fid));
    }
  }

  of(fid: Fid): BeforeAndAfter {
    const object = this.#touched.objects.get(fid);
    if (object?.born) return { before: NONE, after: object.gained };
    if (object?.gone) return { before: object.lost, after: NONE };
    const after = this.#names.keysOf(fid);
    if (object === undefined || (object.gained.size === 0 && object.lost.size === 0)) {
      return { before: after, after };
    }
    const before = new Set(after);
    for (const key of object.gained) before.delete(key);
    for (const key of object.lost) before.add(key);
    return { before, after };
  }

  /** Of what was made or removed in the range, its records tell all. */
  #mustAsk(fid: Fid): boolean {
    const object = this.#touched.objects.get(fid);
    return object === undefined || !(object.born || object.gone);
  }
}

function only(keys: ReadonlySet<NameKey>): NameKey | undefined {
  for (const key of keys) return key;
  return undefined;
}

interface PathsOfObject {
  readonly lost: readonly string[];
  readonly gained: readonly string[];
  readonly kept: readonly string[];
}

function changesOf(
  head: { readonly fid: Fid; readonly type: number },
  object: TouchedObject,
  paths: PathsOfObject,
): Change[] {
  const [lost, gained] = [[...paths.lost].sort(), [...paths.gained].sort()];
  // A name that went and one that came are a name that moved.
  const moved = Math.min(lost.length, gained.length);
  const isNew = lost.length + paths.kept.length === 0;
  const isGone = gained.length + paths.kept.length === 0;
  const changes: Change[] = [];
  for (const [i, path] of lost.entries()) {
    const to = gained[i];
    if (to === undefined) changes.push({ change: 'removed', ...head, path, linked: !isGone });
    else changes.push({ change: 'renamed', ...head, path, to });
  }
  for (const path of gained.slice(moved)) {
    changes.push({ change: 'added', ...head, path, linked: !isNew });
  }
  const parts = partsOf(object);
  if (parts.length > 0 && !isNew && !isGone) {
    for (const path of [...paths.kept, ...gained.slice(0, moved)]) {
      changes.push({ change: 'modified', ...head, path, parts });
    }
  }
  return changes;
}

const PARTS: readonly (readonly [number, ChangedPart])[] = [
  [Aspect.CONTENTS, 'contents'],
  [Aspect.ATTRIBUTES, 'attributes'],
  [Aspect.XATTRS, 'xattrs'],
  [Aspect.ENTRIES, 'entries'],
];

function partsOf({ aspects }: TouchedObject): ChangedPart[] {
  return PARTS.filter(([bit]) => (aspects & bit) !== 0).map(([, part]) => part);
}

const ORDER: Readonly<Record<Change['change'], number>> = {
  removed: 0,
  renamed: 1,
  added: 2,
  modified: 3,
};

/** By the bytes of the path that stands first; what was there before comes before what is there now. */
function byPath(a: Change, b: Change): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return ORDER[a.change] - ORDER[b.change];
}
