/**
 * Names and other byte strings in JSON: a JSON string when the bytes are UTF-8,
 * else `{"base64":"…"}`. Both lead back to the same bytes.
 */
import { nameFromText, nameToText } from './name.js';

/** Printable ASCII that JSON needs no escape for. */
const PLAIN = /^[ !#-[\]-~]*$/;
/** Valid in JSON as they are, but terminals and line splitters act on them: DEL, C1 controls, line separators. */
const ACTIVE = /[\x7f-\x9f\u2028\u2029]/g;
/** Half a character: no bytes lead to it. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** The JSON value of a binary string. */
export function renderBytes(bytes: string): string {
  if (PLAIN.test(bytes)) return `"${bytes}"`;
  const text = nameToText(bytes);
  if (text === undefined) {
    return `{"base64":"${Buffer.from(bytes, 'latin1').toString('base64')}"}`;
  }
  return JSON.stringify(text).replace(
    ACTIVE,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Bytes of {@link renderBytes} as UTF-8. */
export function renderedBytes(bytes: string): number {
  return PLAIN.test(bytes) ? bytes.length + 2 : Buffer.byteLength(renderBytes(bytes), 'utf8');
}

/** The binary string of what {@link renderBytes} rendered, parsed; undefined for anything else. */
export function parseBytes(value: unknown): string | undefined {
  if (typeof value === 'string')
    return LONE_SURROGATE.test(value) ? undefined : nameFromText(value);
  if (typeof value !== 'object' || value === null || !('base64' in value)) return undefined;
  return base64ToBytes(value.base64)?.toString('latin1');
}

export function bytesToBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Undefined unless it is base64 as {@link bytesToBase64} writes it: Node's decoder skips what it does not know. */
export function base64ToBytes(value: unknown): Buffer | undefined {
  if (typeof value !== 'string') return undefined;
  const bytes = Buffer.from(value, 'base64');
  return bytes.toString('base64') === value ? bytes : undefined;
}
