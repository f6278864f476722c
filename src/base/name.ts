/**
 * Names of directory entries and extended attributes are bytes, not text. Inside
 * feedfs a name is a *binary string*: one UTF-16 unit (0..255) per byte, which
 * V8 stores in one byte each, hashes and compares fast, and loses nothing.
 */
import type { Brand } from './brand.js';

export type FileName = Brand<string, 'FileName'>;

/** Longest name in bytes (NAME_MAX of limits.h). */
export const NAME_BYTES_MAX = 255;

export function nameFromBytes(bytes: Uint8Array): FileName {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(
    'latin1',
  ) as FileName;
}

/** The binary string of a JavaScript string's UTF-8 bytes. */
export function nameFromText(text: string): FileName {
  return Buffer.from(text, 'utf8').toString('latin1') as FileName;
}

export function nameToBytes(name: string): Buffer {
  return Buffer.from(name, 'latin1');
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a name, or undefined when its bytes are not UTF-8. */
export function nameToText(name: string): string | undefined {
  if (isAscii(name)) return name;
  try {
    return UTF8.decode(nameToBytes(name));
  } catch {
    return undefined;
  }
}

function isAscii(name: string): boolean {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) > 127) return false;
  return true;
}
