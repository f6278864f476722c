/** Paths from names, by climbing from directory to directory. */
import { type Fid, formatFid, ROOT_FID } from '../../base/fid.js';
import { DiffError } from './diff-error.js';
import { keyPlace, type NameKey } from './name-key.js';

/** The one name of a directory; undefined if it is not known. */
export type NameOfDirectory = (fid: Fid) => NameKey | undefined;

export class Paths {
  readonly #nameOf: NameOfDirectory;
  /** Of directories, with a slash at their end; '' for the root. */
  readonly #prefixes = new Map<Fid, string>([[ROOT_FID, '']]);

  constructor(nameOf: NameOfDirectory) {
    this.#nameOf = nameOf;
  }

  /** Relative to the root, which is `.`; a binary string. Throws DiffError `damage` if there is no way up. */
  of(key: NameKey): string {
    const { parent, name } = keyPlace(key);
    return parent === 0 ? '.' : `${this.#prefixOf(parent)}${name}`;
  }

  #prefixOf(directory: Fid): string {
    const climbed: { readonly fid: Fid; readonly name: string }[] = [];
    const met = new Set<Fid>();
    let at = directory;
    let prefix = this.#prefixes.get(at);
    while (prefix === undefined) {
      const key = this.#nameOf(at);
      if (key === undefined || met.has(at)) {
        throw new DiffError('damage', `directory ${formatFid(at)} has no place: run feedfs fsck`);
      }
      met.add(at);
      const { parent, name } = keyPlace(key);
      climbed.push({ fid: at, name });
      at = parent as Fid;
      prefix = this.#prefixes.get(at);
    }
    for (const { fid, name } of climbed.reverse()) {
      prefix = `${prefix}${name}/`;
      this.#prefixes.set(fid, prefix);
    }
    return prefix;
  }
}
