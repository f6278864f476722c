/**
 * A keyed 48-bit hash of names: two 32-bit multiply-xor lanes with a final mix each. The
 * key differs from store to store, so a list of names that meet in one does no harm in
 * another. It is no cipher: whoever studies the cookies of a listing may find names that
 * meet, and of those the ninth is refused (ENOSPC) in a directory where he made eight.
 */
export interface HashKey {
  readonly a: number;
  readonly b: number;
}

export function hashKeyFrom(fsid: string): HashKey {
  return {
    a: Number.parseInt(fsid.slice(0, 8), 16) >>> 0,
    b: Number.parseInt(fsid.slice(8, 16), 16) >>> 0,
  };
}

function mix(value: number): number {
  let x = value;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** An integer in 0..2^48-1. */
export function hashName(name: string, { a, b }: HashKey): number {
  let x = a | 0;
  let y = b | 0;
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i);
    x = Math.imul(x ^ unit, 0x9e3779b1);
    y = Math.imul((y + unit) | 0, 0x85ebca77) ^ (y >>> 13);
  }
  return (mix(y ^ name.length) & 0xffff) * 2 ** 32 + mix(x ^ (y >>> 7));
}
