/**
 * What a value looks like in a message, as one definition that writes it, reads it and checks
 * it. The compiler holds each definition against the type that it is for, field by field.
 *
 * An object is the list of its fields in the order of the definition; an alternative is a list
 * that begins with its number; undefined is nil. A new field or alternative goes to the end,
 * with another SESSION_VERSION.
 */
import type { Reader } from './reader.js';
import { WireError } from './wire-error.js';
import type { Writer } from './writer.js';

export interface Codec<T> {
  write(out: Writer, value: T): void;
  read(from: Reader): T;
}

/** A field that may be absent, and then is absent from what is read. */
export class Optional<T> {
  readonly codec: Codec<T>;

  constructor(codec: Codec<T>) {
    this.codec = codec;
  }
}

/** One codec for each field; those that the type lets be absent are {@link Optional}. */
export type Fields<T> = {
  readonly [K in keyof T]-?: object extends Pick<T, K>
    ? Optional<Exclude<T[K], undefined>>
    : Codec<T[K]>;
};

interface Field {
  readonly key: string;
  readonly codec: Codec<unknown>;
  readonly optional: boolean;
}

type AnyFields = Readonly<Record<string, Codec<never> | Optional<never>>>;
type AnyVariant = readonly [number, AnyFields];

/** The fields of an object, without the head of the list. */
class FieldList {
  readonly count: number;
  readonly #fields: readonly Field[];

  constructor(fields: AnyFields) {
    this.#fields = Object.entries(fields).map(([key, field]) => {
      const optional = field instanceof Optional;
      return {
        key,
        codec: (optional ? field.codec : field) as unknown as Codec<unknown>,
        optional,
      };
    });
    this.count = this.#fields.length;
  }

  write(out: Writer, value: object): void {
    if (typeof value !== 'object' || value === null) throw new WireError('no object');
    const source = value as Record<string, unknown>;
    for (const { key, codec, optional } of this.#fields) {
      const field = source[key];
      if (optional && field === undefined) out.nil();
      else codec.write(out, field);
    }
  }

  readInto(from: Reader, target: Record<string, unknown>): void {
    for (const { key, codec, optional } of this.#fields) {
      if (optional && from.nil()) continue;
      target[key] = codec.read(from);
    }
  }
}

/** An object with exactly these fields. */
export function struct<T extends object>(fields: Fields<T>): Codec<T> {
  const list = new FieldList(fields as unknown as AnyFields);
  return {
    write(out, value) {
      out.array(list.count);
      list.write(out, value);
    },
    read(from) {
      from.fields(list.count);
      const value: Record<string, unknown> = {};
      list.readInto(from, value);
      return value as T;
    },
  };
}

/** Of each variant its number in messages, which is for ever, and its fields beside the tag. */
type Variants<T, Tag extends keyof T> = {
  readonly [V in T[Tag] & string]: readonly [
    number,
    Fields<Omit<Extract<T, Readonly<Record<Tag, V>>>, Tag>>,
  ];
};

/** An object whose field `tag` says which of several it is. */
export function tagged<T extends object, Tag extends keyof T & string>(
  tag: Tag,
  variants: Variants<T, Tag>,
): Codec<T> {
  const byName = new Map<unknown, { number: number; list: FieldList }>();
  const byNumber: ({ name: string; list: FieldList } | undefined)[] = [];
  for (const [name, [number, fields]] of Object.entries(
    variants as unknown as Record<string, AnyVariant>,
  )) {
    const list = new FieldList(fields);
    byName.set(name, { number, list });
    byNumber[number] = { name, list };
  }
  return {
    write(out, value) {
      const variant = byName.get(value[tag]);
      if (variant === undefined) throw new WireError(`no ${tag} is ${String(value[tag])}`);
      out.array(1 + variant.list.count);
      out.uint(variant.number);
      variant.list.write(out, value);
    },
    read(from) {
      const count = from.array(64);
      const variant = count === 0 ? undefined : byNumber[from.uint(255)];
      if (variant === undefined || variant.list.count !== count - 1) {
        return from.fail(`a ${tag}`);
      }
      const value: Record<string, unknown> = { [tag]: variant.name };
      variant.list.readInto(from, value);
      return value as T;
    },
  };
}

/** One of some words; each is its position in the list. */
export function oneOf<T extends string>(...words: readonly T[]): Codec<T> {
  return {
    write(out, value) {
      const position = words.indexOf(value);
      if (position < 0) throw new WireError(`${value} is none of ${words.join(', ')}`);
      out.uint(position);
    },
    read: (from) => words[from.uint(words.length - 1)] ?? from.fail(words.join(' or ')),
  };
}

/** It, or undefined. */
export function maybe<T>(codec: Codec<T>): Codec<T | undefined> {
  return {
    write(out, value) {
      if (value === undefined) out.nil();
      else codec.write(out, value);
    },
    read: (from) => (from.nil() ? undefined : codec.read(from)),
  };
}

export function optional<T>(codec: Codec<T>): Optional<T> {
  return new Optional(codec);
}

/** At most `max` of them. */
export function list<T>(codec: Codec<T>, max: number): Codec<readonly T[]> {
  return {
    write(out, values) {
      if (!Array.isArray(values)) throw new WireError('no list');
      if (values.length > max) throw new WireError(`${values.length} values, at most ${max}`);
      out.array(values.length);
      for (const value of values) codec.write(out, value);
    },
    read(from) {
      const values: T[] = [];
      for (let left = from.array(max); left > 0; left--) values.push(codec.read(from));
      return values;
    },
  };
}

/** Nothing but undefined. */
export const nothing: Codec<undefined> = {
  write(out, value) {
    if (value !== undefined) throw new WireError('nothing expected');
    out.nil();
  },
  read: (from) => (from.nil() ? undefined : from.fail('nothing')),
};
