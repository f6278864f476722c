/** What happens in a world (world.ts), and what may happen in its place. */
import type { Arrival } from './wire.js';

/** What a fault can be put in the place of. */
export type Event =
  | ({ readonly kind: 'message' } & Arrival)
  | { readonly kind: 'commit' }
  | { readonly kind: 'flush' };

/** In the place of an event: the server, or its machine, ends; a connection is cut before or after it. */
export type Fault = 'kill' | 'power cut' | 'cut' | 'cut after' | 'twice';

export interface WorldOptions {
  readonly seed?: number;
  /** Changes are committed at once, or when somebody waits for it; default the latter. */
  readonly commits?: 'eager' | 'lazy';
  /** Messages of different connections overtake each other. */
  readonly shuffles?: boolean;
  readonly windowUs?: number;
}
