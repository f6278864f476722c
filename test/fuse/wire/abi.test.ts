/** The offsets in structs.ts against the compiler's, where there is one and the kernel's header. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as abi from '../../../src/fuse/wire/abi.js';
import * as structs from '../../../src/fuse/wire/structs.js';

/** Structures younger than the oldest header that a supported distribution ships, or without a C name. */
const NOT_IN_HEADER = new Set(['fuse_copy_file_range_out']);

/** Our own names of fields: `size` is the structure's, so a field of that name is called otherwise. */
function fieldName(name: string): string {
  return name === 'size_field' ? 'size' : name;
}

function structures(): [name: string, fields: Record<string, number>][] {
  return Object.entries(structs)
    .filter(([name, value]) => name.startsWith('fuse_') && typeof value === 'object')
    .filter(([name]) => !NOT_IN_HEADER.has(name))
    .map(([name, fields]) => [name, { ...(fields as Record<string, number>) }]);
}

/** A program that prints `struct field offset` for each field, and `struct . size`. */
function program(): string {
  const lines = structures().flatMap(([name, fields]) => [
    `printf("${name} . %zu\\n", sizeof(struct ${name}));`,
    ...Object.keys(fields)
      .filter((field) => field !== 'size')
      .map((field) => {
        const member = fieldName(field);
        return `printf("${name} ${field} %zu\\n", offsetof(struct ${name}, ${member}));`;
      }),
  ]);
  return `#include <stddef.h>\n#include <stdio.h>\n#include <linux/fuse.h>\nint main(void){${lines.join('\n')}return 0;}\n`;
}

const compiler = ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0);
const header = existsSync('/usr/include/linux/fuse.h');

test('structures agree with the C compiler', () => {
  if (compiler === undefined || !header) return;
  const directory = mkdtempSync(join(tmpdir(), 'feedfs-abi-'));
  try {
    writeFileSync(join(directory, 'abi.c'), program());
    const built = spawnSync(compiler, ['-o', join(directory, 'abi'), join(directory, 'abi.c')]);
    assert.is(built.status, 0, built.stderr.toString());
    const printed = spawnSync(join(directory, 'abi')).stdout.toString().trim().split('\n');
    const known = new Map(structures());
    for (const line of printed) {
      const [name = '', field = '', offset] = line.split(' ');
      const ours = known.get(name)?.[field === '.' ? 'size' : field];
      assert.is(ours, Number(offset), line);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('fields stay inside their structure, in ascending order', () => {
  for (const [name, fields] of structures()) {
    const { size = 0, ...rest } = fields;
    let last = -1;
    for (const [field, offset] of Object.entries(rest)) {
      // Where the variable part begins, a field may stand at the end.
      assert.ok(offset > last && offset <= size, `${name}.${field}`);
      last = offset;
    }
  }
});

test('each opcode and capability has a number of its own', () => {
  for (const table of [abi.Opcode, abi.CapabilityBit]) {
    const numbers = Object.values(table);
    assert.is(new Set(numbers).size, numbers.length);
  }
});

test.run();
