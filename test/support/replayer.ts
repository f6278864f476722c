/**
 * The namespace as the records of a feed say it is: a model in memory, written from
 * the description of the records and not from the code that makes them.
 */
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import type { Timespec } from '../../src/base/time.js';
import type { FeedRecord, RecordAttrs } from '../../src/feed/record.js';

export interface ModelNode {
  attrs: {
    mode: number;
    uid: number;
    gid: number;
    size: number;
    nlink: number;
    rdev: number;
    atime: Timespec;
    mtime: Timespec;
    ctime: Timespec;
  };
  target: string;
  readonly xattrs: Map<string, string>;
  readonly entries: Map<string, Fid>;
}

const TYPE = 0o170000;
const DIRECTORY = 0o040000;

export class Replayer {
  readonly nodes = new Map<Fid, ModelNode>();
  /** Every FID that a record created. */
  readonly created = new Set<Fid>();
  #index: number | undefined;

  constructor(root: ModelNode) {
    this.nodes.set(ROOT_FID, root);
  }

  apply(record: FeedRecord): void {
    if (this.#index !== undefined && record.index !== this.#index + 1) {
      throw new Error(`record ${record.index} follows ${this.#index}`);
    }
    this.#index = record.index;
    switch (record.op) {
      case 'create':
      case 'mkdir':
      case 'mknod':
      case 'symlink': {
        if (this.created.has(record.fid)) throw new Error(`FID ${record.fid} was used before`);
        this.created.add(record.fid);
        const target = record.op === 'symlink' ? record.target : '';
        const attrs = complete(record.attrs);
        this.nodes.set(record.fid, { attrs, target, xattrs: new Map(), entries: new Map() });
        this.#enter(record.parent, record.name, record.fid, record.time);
        break;
      }
      case 'link':
        Object.assign(this.node(record.fid).attrs, record.attrs);
        this.#enter(record.parent, record.name, record.fid, record.time);
        break;
      case 'unlink':
      case 'rmdir':
        this.#leave(record.parent, record.name, record.fid, record.time);
        this.#lose(record.fid, record.attrs, record.last);
        break;
      case 'rename':
        this.#rename(record);
        break;
      case 'setattr':
      case 'write':
        Object.assign(this.node(record.fid).attrs, record.attrs);
        break;
      case 'setxattr': {
        const node = this.node(record.fid);
        node.xattrs.set(record.xattr.name, Buffer.from(record.xattr.value).toString('hex'));
        Object.assign(node.attrs, record.attrs);
        break;
      }
      case 'removexattr': {
        const node = this.node(record.fid);
        if (!node.xattrs.delete(record.xattr.name)) throw new Error('removed xattr was not there');
        Object.assign(node.attrs, record.attrs);
        break;
      }
      case 'lost':
        throw new Error('records are lost');
    }
  }

  node(fid: Fid): ModelNode {
    const node = this.nodes.get(fid);
    if (node === undefined) throw new Error(`no object ${fid}`);
    return node;
  }

  #isDirectory(fid: Fid): boolean {
    return (this.node(fid).attrs.mode & TYPE) === DIRECTORY;
  }

  #enter(parent: Fid, name: string, fid: Fid, time: Timespec): void {
    const node = this.node(parent);
    if (node.entries.has(name)) throw new Error(`${name} is there already`);
    node.entries.set(name, fid);
    if (this.#isDirectory(fid)) node.attrs.nlink++;
    Object.assign(node.attrs, { mtime: time, ctime: time });
  }

  #leave(parent: Fid, name: string, fid: Fid, time: Timespec): void {
    const node = this.node(parent);
    if (node.entries.get(name) !== fid) throw new Error(`${name} is not ${fid}`);
    node.entries.delete(name);
    if (this.#isDirectory(fid)) node.attrs.nlink--;
    Object.assign(node.attrs, { mtime: time, ctime: time });
  }

  #lose(fid: Fid, attrs: RecordAttrs, last: boolean): void {
    const node = this.node(fid);
    Object.assign(node.attrs, attrs);
    if (last !== (node.attrs.nlink === 0)) throw new Error('last does not agree with nlink');
    if (last) this.nodes.delete(fid);
  }

  #rename(record: Extract<FeedRecord, { op: 'rename' }>): void {
    const { fid, time, parent, name, newParent, newName, over, exchanged } = record;
    this.#leave(parent, name, fid, time);
    if (over !== undefined) {
      this.#leave(newParent, newName, over.fid, time);
      this.#lose(over.fid, over.attrs, over.last);
    }
    if (exchanged !== undefined) {
      this.#leave(newParent, newName, exchanged, time);
      this.#enter(parent, name, exchanged, time);
      this.node(exchanged).attrs.ctime = time;
    }
    this.#enter(newParent, newName, fid, time);
    Object.assign(this.node(fid).attrs, record.attrs);
  }
}

/** Everything below the root, as values that compare. */
export function flatten(nodes: ReadonlyMap<Fid, ModelNode>): Map<string, unknown> {
  const flat = new Map<string, unknown>();
  const visit = (fid: Fid, path: string): void => {
    const node = nodes.get(fid);
    if (node === undefined) throw new Error(`${path} leads nowhere`);
    const xattrs = [...node.xattrs].sort();
    flat.set(path, { fid, ...node.attrs, target: node.target, xattrs });
    for (const [name, child] of [...node.entries].sort()) visit(child, `${path}/${name}`);
  };
  visit(ROOT_FID, '');
  return flat;
}

function complete(attrs: RecordAttrs): ModelNode['attrs'] {
  const { mode, uid, gid, size, nlink, rdev, atime, mtime, ctime } = attrs;
  const all = { mode, uid, gid, size, nlink, rdev, atime, mtime, ctime };
  for (const [key, value] of Object.entries(all)) {
    if (value === undefined) throw new Error(`a new object has no ${key}`);
  }
  return all as ModelNode['attrs'];
}
