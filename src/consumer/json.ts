/** Typed reading of a JSON object's members; each throws `FieldError` naming the member. */
import { timeFromNanoseconds } from '../base/time.js';
import type { Time } from './types.js';

export type Json = Readonly<Record<string, unknown>>;

export class FieldError extends Error {
  override readonly name = 'FieldError';
}

function fail(key: string, wanted: string): never {
  throw new FieldError(`member "${key}" is not ${wanted}`);
}

export function asObject(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(what, 'an object');
  return value as Json;
}

export function text(json: Json, key: string): string {
  const value = json[key];
  return typeof value === 'string' ? value : fail(key, 'a string');
}

/** A JSON number that is an integer. */
export function integer(json: Json, key: string): number {
  const value = json[key];
  return Number.isSafeInteger(value) ? (value as number) : fail(key, 'an integer');
}

export function flag(json: Json, key: string): boolean {
  const value = json[key];
  return typeof value === 'boolean' ? value : fail(key, 'true or false');
}

/** A 64-bit quantity written as a decimal string; it must stay below 2^53. */
export function decimal(json: Json, key: string): number {
  const value = json[key];
  const number = typeof value === 'string' && value !== '' ? Number(value) : Number.NaN;
  return Number.isSafeInteger(number) ? number : fail(key, 'a decimal string below 2^53');
}

const NSEC_DIGITS = 9;
const SEC_DIGITS_MAX = 16;
const ZERO = 0x30;
const NINE = 0x39;

/** The number that the decimal digits of `text` from `start` to `end` spell; NaN if one is no digit. */
function digits(text: string, start: number, end: number): number {
  let number = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code < ZERO || code > NINE) return Number.NaN;
    number = number * 10 + (code - ZERO);
  }
  return number;
}

const NEGATIVE_TIME = /^-[0-9]{1,25}$/;

/** Nanoseconds since the epoch as a decimal string. By hand: a record has four of them. */
export function time(json: Json, key: string): Time {
  const value = json[key];
  if (typeof value !== 'string' || value === '') return fail(key, 'a time in ns');
  if (NEGATIVE_TIME.test(value)) return timeFromNanoseconds(value);
  const split = Math.max(0, value.length - NSEC_DIGITS);
  if (split > SEC_DIGITS_MAX) return fail(key, 'a time in ns');
  const sec = digits(value, 0, split);
  const nsec = digits(value, split, value.length);
  return !Number.isSafeInteger(sec) || Number.isNaN(nsec)
    ? fail(key, 'a time in ns')
    : { sec, nsec };
}
