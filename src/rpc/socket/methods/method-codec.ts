/** A method in a message: its number, what is asked, what is answered. */
import type { Method } from '../../messages.js';
import type { RemoteRequest, RemoteResult } from '../../remote.js';
import type { Codec } from '../codec.js';

export interface MethodCodec<M extends Method> {
  /** For ever; 1 to 255. */
  readonly number: number;
  readonly request: Codec<RemoteRequest<M>>;
  readonly result: Codec<RemoteResult<M>>;
}

/** Codecs of some of the methods. */
export type MethodCodecs<M extends Method> = { readonly [N in M]: MethodCodec<N> };
