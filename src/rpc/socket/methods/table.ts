/** All methods: the compiler sees to it that none is missing. */
import { assert, must } from '../../../base/assert.js';
import type { Method } from '../../messages.js';
import { WireError } from '../wire-error.js';
import { feedMethods, readerMethods } from './feeds.js';
import type { MethodCodec, MethodCodecs } from './method-codec.js';
import { namespaceMethods } from './namespace.js';
import { sharedMethods } from './shared.js';
import { stateMethods } from './state.js';

const METHODS: MethodCodecs<Method> = {
  ...namespaceMethods,
  ...feedMethods,
  ...readerMethods,
  ...sharedMethods,
  ...stateMethods,
};

export const METHOD_NAMES = Object.keys(METHODS) as readonly Method[];

const codecs = new Map<Method, MethodCodec<Method>>();
const byNumber: (Method | undefined)[] = [];
for (const method of METHOD_NAMES) {
  const codec = METHODS[method] as unknown as MethodCodec<Method>;
  assert(byNumber[codec.number] === undefined, () => `two methods have number ${codec.number}`);
  byNumber[codec.number] = method;
  codecs.set(method, codec);
}

/** WireError for what is no method. */
export function methodCodec<M extends Method>(method: M): MethodCodec<M> {
  const codec = codecs.get(method);
  if (codec === undefined) throw new WireError(`no method is called ${String(method)}`);
  return codec as unknown as MethodCodec<M>;
}

/** WireError for the number of no method. */
export function methodOfNumber(number: number): Method {
  const method = byNumber[number];
  if (method === undefined) throw new WireError(`no method has number ${number}`);
  return method;
}

export function methodNumber(method: Method): number {
  return must(codecs.get(method), 'method').number;
}
