/**
 * Steps of generated work for what a copy must follow: those of test/mount/tree-step.ts,
 * and changes that consist of several calls, as programs make them. Most find their way
 * in the tree as it then is, so that it grows deep and most steps change something.
 */
import fc from 'fast-check';
import { type Path, type Step, step } from '../mount/tree-step.js';

export type LargeStep =
  /** A file without a name that gets one when it is written. */
  | { readonly op: 'tmpfile'; readonly path: Path; readonly length: number }
  /** Written and synced while it has no name any more. */
  | { readonly op: 'orphan'; readonly path: Path; readonly length: number }
  /** Directories in each other, with files, a symlink and a hard link in the innermost. */
  | { readonly op: 'tree'; readonly path: Path; readonly depth: number; readonly files: number }
  /** It goes with all that is below it. */
  | { readonly op: 'remove'; readonly path: Path }
  /** It goes, and something of another type takes the name. */
  | { readonly op: 'replace'; readonly path: Path }
  /** A new version beside the file, synced and renamed over it, as editors save. */
  | { readonly op: 'save'; readonly path: Path; readonly length: number }
  /** Data far apart, then a hole punched and a cut. */
  | { readonly op: 'sparse'; readonly path: Path; readonly at: number; readonly length: number }
  /** Made, renamed, linked and removed again: a copy has nothing to do. */
  | { readonly op: 'fleeting'; readonly path: Path }
  /** More names beside it and in the root. */
  | { readonly op: 'names'; readonly path: Path; readonly count: number }
  | { readonly op: 'socket'; readonly path: Path; readonly mode: number }
  /** It and its parent change places: `a/b` becomes `b`, with `a` below it. */
  | { readonly op: 'invert'; readonly path: Path };

/** A way down the tree: of each directory the entry with this number, modulo their count. */
export type Way = readonly number[];

export interface CloneStep {
  readonly what: Step | LargeStep;
  /** Where it is done; without them, where `what` itself says. */
  readonly ways: undefined | { readonly path: Way; readonly to: Way; readonly onto: boolean };
}

const path = fc.constantFrom('a', 'b', 'c', 'd', '"\\\t', 'gr\xc3\xb6\xc3\x9fe');
/** Up to several frames of a stream. */
const length = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(0, 10, 5_000, 20_000, 70_000, 300_000) },
  { weight: 1, arbitrary: fc.constant(2_500_000) },
);
const few = (max: number) => fc.integer({ min: 1, max });

const largeStep: fc.Arbitrary<LargeStep> = fc.oneof(
  fc.record({ op: fc.constantFrom('tmpfile' as const, 'orphan' as const), path, length }),
  fc.record({ op: fc.constant('tree' as const), path, depth: few(4), files: few(12) }),
  fc.record({ op: fc.constant('tree' as const), path, depth: few(4), files: few(12) }),
  fc.record({
    op: fc.constantFrom(...(['remove', 'replace', 'fleeting', 'invert'] as const)),
    path,
  }),
  fc.record({ op: fc.constant('save' as const), path, length }),
  fc.record({
    op: fc.constant('sparse' as const),
    path,
    at: fc.constantFrom(4_096, 1_000_000, 4_000_000),
    length,
  }),
  fc.record({ op: fc.constant('names' as const), path, count: few(5) }),
  fc.record({ op: fc.constant('socket' as const), path, mode: fc.constantFrom(0o600, 0o755) }),
);

const way = fc.array(fc.nat(1_000), { maxLength: 5 });
const ways = fc.record({ path: way, to: way, onto: fc.boolean() });

const cloneStep: fc.Arbitrary<CloneStep> = fc.oneof(
  { weight: 1, arbitrary: step.map((what) => ({ what, ways: undefined })) },
  { weight: 4, arbitrary: fc.record({ what: step, ways }) },
  { weight: 2, arbitrary: fc.record({ what: largeStep, ways }) },
);

/** `count` sequences of at most `steps` steps each; the same for the same seed. */
export function sequences(
  seed: number,
  count: number,
  steps: number,
): readonly (readonly CloneStep[])[] {
  const sequence = fc.array(cloneStep, { minLength: 1, maxLength: steps, size: 'max' });
  return fc.sample(sequence, { seed, numRuns: count });
}
