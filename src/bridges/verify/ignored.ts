/** What a comparison leaves out: copies that were made without root lack some of it. */
import type { Property } from './finding.js';

/** Word to properties. */
const GROUPS: Readonly<Record<string, readonly Property[]>> = {
  contents: ['contents'],
  links: ['link'],
  mode: ['mode'],
  mtime: ['mtime'],
  owner: ['uid', 'gid'],
  xattrs: ['xattr'],
};

const XATTR_PREFIX = 'xattr:';

/** What may be left out, for people. */
export const IGNORABLE = `${Object.keys(GROUPS).join(', ')}, ${XATTR_PREFIX}NAME`;

export class Ignored {
  /** As given, in order, each once. */
  readonly words: readonly string[];
  readonly #properties: ReadonlySet<Property>;
  readonly #xattrs: readonly string[];

  /** Throws RangeError naming a word that is none. An xattr's name may end with `*`. */
  constructor(words: readonly string[]) {
    this.words = [...new Set(words)];
    const [xattrs, groups] = [
      this.words.filter((word) => word.startsWith(XATTR_PREFIX)),
      this.words.filter((word) => !word.startsWith(XATTR_PREFIX)),
    ];
    this.#xattrs = xattrs.map((word) => word.slice(XATTR_PREFIX.length));
    this.#properties = new Set(
      groups.flatMap((word) => {
        const properties = Object.hasOwn(GROUPS, word) ? GROUPS[word] : undefined;
        if (properties === undefined) throw new RangeError(`"${word}" is none of ${IGNORABLE}`);
        return properties;
      }),
    );
  }

  has(property: Property): boolean {
    return this.#properties.has(property);
  }

  hasXattr(name: string): boolean {
    return this.#xattrs.some((pattern) =>
      pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
    );
  }
}
