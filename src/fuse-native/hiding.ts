/**
 * Deleting what is open. libfuse's path interface knows files by path only, so it turns
 * the unlink of an open file (and its replacement by a rename) into a rename to
 * `.fuse_hidden` and 16 hexadecimal digits in the same directory, and unlinks that name
 * at the last close. Here such a rename is taken for what it means: the name goes, and
 * the object lives on without one, found under libfuse's name for it.
 *
 * Consequence: a program that itself renames a file that is open to such a name deletes it.
 */
const HIDDEN_NAME = /^\.fuse_hidden[0-9a-f]{16}$/;

/** The hidden name, if a rename from `from` to `to` looks like libfuse's. */
export function hiddenName(from: string, to: string): string | undefined {
  const [fromAt, toAt] = [from.lastIndexOf('/'), to.lastIndexOf('/')];
  const name = to.slice(toAt + 1);
  const sameDirectory = from.slice(0, fromAt) === to.slice(0, toAt);
  return sameDirectory && HIDDEN_NAME.test(name) ? name : undefined;
}

/** The last component of a path. */
export function lastName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
