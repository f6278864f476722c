/**
 * Damage to a store as bytes, so that it can be made smaller byte by byte: the first says
 * whether rows or pages are damaged, then steps of eight bytes.
 *
 * | what  | bytes of a step                                                                |
 * |-------|--------------------------------------------------------------------------------|
 * | pages | place in the file u32, what to XOR u32                                         |
 * | rows  | table u8, row u16, what to do u8, place in key or value u16, value u16         |
 */
import * as fs from 'node:fs';
import { must } from '../../src/base/assert.js';
import { TABLES } from '../../src/store/keys.js';
import type { Store } from '../../src/store/store.js';
import { pathsOf } from '../../src/store/store-directory.js';
import { tamper } from '../support/damage.js';

export const STEP_BYTES = 8;
const ROWS_MAX = 1_000;
/** Tables of which the last rows are as good as any. */
type Table = Store['tables'][(typeof TABLES)[number]];

/** Applies a program to the store at `path`, which nobody has open. Deterministic. */
export async function applyDamage(path: string, program: Uint8Array): Promise<void> {
  const bytes = Buffer.from(program);
  const steps: Buffer[] = [];
  for (let at = 1; at + STEP_BYTES <= bytes.length; at += STEP_BYTES) {
    steps.push(bytes.subarray(at, at + STEP_BYTES));
  }
  if (damagesPages(program)) damagePages(path, steps);
  else {
    await tamper(path, (tables) => {
      for (const step of steps) damageRow(tables, step);
    });
  }
}

export function damagesPages(program: Uint8Array): boolean {
  return ((program[0] ?? 0) & 1) === 1;
}

function damagePages(path: string, steps: readonly Buffer[]): void {
  const { data } = pathsOf(path);
  const file = fs.readFileSync(data);
  for (const step of steps) {
    const at = step.readUInt32LE(0) % (file.length - 4);
    file.writeUInt32LE((file.readUInt32LE(at) ^ step.readUInt32LE(4)) >>> 0, at);
  }
  fs.writeFileSync(data, file);
}

function damageRow(tables: Store['tables'], step: Buffer): void {
  const table = tables[must(TABLES[step.readUInt8(0) % TABLES.length], 'table')];
  const keys = [...table.keys({ limit: ROWS_MAX })].map((key) => Buffer.from(key));
  if (keys.length === 0) return;
  const key = must(keys[step.readUInt16LE(1) % keys.length], 'key');
  const value = Buffer.from(must(table.getRaw(key), 'value').value);
  changeRow(table, { key, value }, step);
}

interface Row {
  readonly key: Buffer;
  readonly value: Buffer;
}

function changeRow(table: Table, { key, value }: Row, step: Buffer): void {
  const place = step.readUInt16LE(4);
  const by = step.readUInt16LE(6);
  switch (step.readUInt8(3) % 6) {
    case 0:
      return table.remove(key);
    case 1:
      return table.put(key, value.subarray(0, value.length === 0 ? 0 : place % value.length));
    case 2:
      return table.put(key, changed(value, place, by));
    case 3:
      return table.put(changed(key, place, by), value);
    case 4:
      return table.put(key.subarray(0, 1 + (place % key.length)), value);
    default:
      return table.put(key, Buffer.alloc(place % 300, by & 0xff));
  }
}

function changed(bytes: Buffer, place: number, by: number): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length > 0) {
    const at = place % copy.length;
    copy[at] = (copy[at] ?? 0) ^ (by & 0xff || 1);
  }
  return copy;
}
