/** Changes to a source filesystem in memory that a test names one by one. */
import { S_IFDIR, S_IFREG } from '../../../../src/base/mode.js';
import { Random } from '../../../support/random.js';
import { SourceModel, type SourceObject } from './source-model.js';
import { links, where } from './source-tree.js';

type Place = { parent: SourceObject; name: string };

export class ScriptedSource extends SourceModel {
  constructor() {
    super(new Random(1));
  }

  create(path: string): SourceObject {
    const object = this.object(this.fid(), S_IFREG | 0o644, '');
    const at = this.#place(path);
    this.enter(object, at);
    this.record(object.fid, { op: 'create', ...where(at), attrs: this.attrs(object) });
    this.write(object, `file ${object.fid}`);
    return object;
  }

  /** Not less than it has. */
  write(object: SourceObject, text: string): void {
    object.contents = Buffer.from(text);
    const { length } = object.contents;
    const attrs = { size: length };
    this.record(object.fid, { op: 'write', extents: [{ offset: 0, length }], attrs });
  }

  mkdir(path: string): SourceObject {
    const object = this.object(this.fid(), S_IFDIR | 0o755, '');
    const at = this.#place(path);
    this.enter(object, at);
    this.record(object.fid, { op: 'mkdir', ...where(at), attrs: this.attrs(object) });
    return object;
  }

  link(object: SourceObject, path: string): void {
    const at = this.#place(path);
    this.enter(object, at);
    const { ctime } = object;
    this.record(object.fid, { op: 'link', ...where(at), attrs: { nlink: links(object), ctime } });
  }

  unlink(path: string): void {
    const [at, object] = this.#there(path);
    this.leave(object, at);
    const last = this.lost(object);
    this.record(object.fid, { op: 'unlink', ...where(at), attrs: this.attrs(object), last });
  }

  /** To a free name. */
  rename(path: string, to: string): void {
    const [from, object] = this.#there(path);
    const { parent, name } = this.#place(to);
    this.leave(object, from);
    this.enter(object, { parent, name });
    const newPlace = { newParent: parent.fid, newName: name };
    const attrs = { ctime: object.ctime };
    this.record(object.fid, { op: 'rename', ...where(from), ...newPlace, attrs });
  }

  at(path: string): SourceObject {
    return this.#there(path)[1];
  }

  #place(path: string): Place {
    const names = path.split('/');
    const name = names.pop() ?? '';
    return { parent: names.reduce(child, this.root), name };
  }

  #there(path: string): [Place, SourceObject] {
    const at = this.#place(path);
    return [at, child(at.parent, at.name)];
  }
}

function child(directory: SourceObject, name: string): SourceObject {
  const found = directory.entries.get(name);
  if (found === undefined) throw new Error(`no ${name} in the script`);
  return found;
}
