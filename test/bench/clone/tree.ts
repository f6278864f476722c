/** The trees that are copied: small files, a hundred to a directory. */
export const FILES_PER_DIRECTORY = 100;
const DIRECTORIES_PER_DIRECTORY = 100;
const BYTES_MIN = 100;
const BYTES_MAX = 2_000;
/** A prime: sizes in no order. */
const STEP = 611_953;

/** Where file `i` is, below the root of the tree. */
export function pathOf(i: number): string {
  const leaf = Math.floor(i / FILES_PER_DIRECTORY);
  const top = Math.floor(leaf / DIRECTORIES_PER_DIRECTORY);
  return `p${top}/q${leaf % DIRECTORIES_PER_DIRECTORY}/f${i % FILES_PER_DIRECTORY}`;
}

/** Of another length in each version, so that rsync has no need of checksums to see it. */
export function contentsOf(i: number, version: number): Buffer {
  const length = BYTES_MIN + ((i * STEP + version) % (BYTES_MAX - BYTES_MIN));
  return Buffer.alloc(length, `file ${i}, version ${version}\n`);
}

/** Evenly over the tree, at most `count`. */
export function changedFiles(files: number, count: number): number[] {
  const chosen = Math.min(files, count);
  return Array.from({ length: chosen }, (_, i) => Math.floor((i * files) / chosen));
}
