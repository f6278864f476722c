/** A small C program of several files, a static and a shared library and a plugin, built by make. */
import * as fs from 'node:fs';
import { join } from 'node:path';

/** Each becomes a file with a function that the program calls; enough for make to have two at work. */
const PARTS = 12;

const MAKEFILE = `
CFLAGS = -O1 -g -fPIC -Wall -Werror -I.
PARTS = ${partNumbers()
  .map((i) => `part${i}.o`)
  .join(' ')}

all: program plugin.so

program: main.o libparts.a libshared.so
	$(CC) -o $@ main.o -L. -lparts -lshared -ldl -Wl,-rpath,'$$ORIGIN'

libparts.a: $(PARTS)
	$(AR) rcs $@ $(PARTS)

libshared.so: shared.o
	$(CC) -shared -o $@ shared.o

plugin.so: plugin.o
	$(CC) -shared -o $@ plugin.o

%.o: %.c parts.h
	$(CC) $(CFLAGS) -c -o $@ $<

clean:
	rm -f *.o *.a *.so program

.PHONY: all clean
`;

const MAIN = `
#include <dlfcn.h>
#include <stdio.h>
#include "parts.h"

int main(int argc, char **argv)
{
	int sum = 0;
${partNumbers()
  .map((i) => `\tsum += part${i}();`)
  .join('\n')}
	void *plugin = dlopen(argv[argc - 1], RTLD_NOW);
	if (!plugin) {
		fprintf(stderr, "%s\\n", dlerror());
		return 1;
	}
	int (*answer)(void) = (int (*)(void))dlsym(plugin, "plugin_answer");
	printf("%d %d %d\\n", sum, shared_twice(sum), answer ? answer() : -1);
	return dlclose(plugin);
}
`;

function partNumbers(): number[] {
  return Array.from({ length: PARTS }, (_, i) => i);
}

/** What the program prints. */
export const EXPECTED_OUTPUT = (() => {
  const sum = partNumbers().reduce((total, i) => total + i * i, 0);
  return `${sum} ${sum * 2} 42\n`;
})();

/** Writes the sources below the new directory `folder`. */
export function writeCProject(folder: string): void {
  fs.mkdirSync(folder);
  const write = (name: string, text: string) => fs.writeFileSync(join(folder, name), text);
  write('Makefile', MAKEFILE.trimStart());
  write('main.c', MAIN.trimStart());
  write('shared.c', '#include "parts.h"\n\nint shared_twice(int n) { return n * 2; }\n');
  write('plugin.c', 'int plugin_answer(void) { return 42; }\n');
  const prototypes = partNumbers().map((i) => `int part${i}(void);`);
  write('parts.h', `${[...prototypes, 'int shared_twice(int n);'].join('\n')}\n`);
  for (const i of partNumbers()) {
    write(`part${i}.c`, `#include "parts.h"\n\nint part${i}(void) { return ${i} * ${i}; }\n`);
  }
}
