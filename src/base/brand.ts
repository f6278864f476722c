declare const brand: unique symbol;

/** A primitive that only its own constructor may mint: `Brand<number, 'Fid'>`. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
