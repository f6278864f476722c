/** Members that several kinds of lines have. Each throws FieldError naming what is wrong. */
import { asObject, decimal, FieldError, integer, type Json, text, time } from './json.js';
import type { Attrs, Extent, Name } from './types.js';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export function attrs(json: Json): Attrs {
  const into: Mutable<Attrs> = {};
  if (json.attrs === undefined) return into;
  const from = asObject(json.attrs, 'attrs');
  if (from.mode !== undefined) into.mode = octal(from);
  if (from.uid !== undefined) into.uid = integer(from, 'uid');
  if (from.gid !== undefined) into.gid = integer(from, 'gid');
  if (from.size !== undefined) into.size = decimal(from, 'size');
  if (from.nlink !== undefined) into.nlink = integer(from, 'nlink');
  if (from.rdev !== undefined) into.rdev = integer(from, 'rdev');
  if (from.atime !== undefined) into.atime = time(from, 'atime');
  if (from.mtime !== undefined) into.mtime = time(from, 'mtime');
  if (from.ctime !== undefined) into.ctime = time(from, 'ctime');
  return into;
}

const OCTAL = /^[0-7]+$/;

function octal(json: Json): number {
  const mode = text(json, 'mode');
  if (!OCTAL.test(mode)) throw new FieldError('member "mode" is not an octal string');
  return Number.parseInt(mode, 8);
}

/** A JSON string, or `{"base64": …}` for bytes that are not UTF-8. */
export function name(json: Json, key: string): Name {
  const value = json[key];
  if (typeof value === 'string') return value;
  return Buffer.from(text(asObject(value, key), 'base64'), 'base64');
}

export function extents(value: unknown): Extent[] {
  if (!Array.isArray(value)) throw new FieldError('member "extents" is not an array');
  return value.map((item) => {
    const extent = asObject(item, 'extents');
    return { offset: decimal(extent, 'offset'), length: decimal(extent, 'length') };
  });
}
