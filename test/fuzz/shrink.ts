/** Makes an input that fails smaller, for as long as it still fails. */

const CHECKS_MAX = 2_000;

/** `fails` is asked at most `checksMax` times. */
export async function shrink(
  input: Uint8Array,
  fails: (input: Uint8Array) => Promise<boolean>,
  checksMax: number = CHECKS_MAX,
): Promise<Uint8Array> {
  let best = input;
  let left = checksMax;
  const better = async (candidate: Uint8Array): Promise<boolean> => {
    if (left-- <= 0 || !(await fails(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let size = Math.ceil(best.length / 2); size >= 1 && left > 0; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.length && left > 0; ) {
      if (!(await better(without(best, at, size)))) at += size;
    }
  }
  for (let at = 0; at < best.length && left > 0; at++) {
    if (best[at] !== 0) await better(zeroed(best, at));
  }
  return best;
}

function without(bytes: Uint8Array, at: number, size: number): Uint8Array {
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + size)]);
}

function zeroed(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = 0;
  return copy;
}
