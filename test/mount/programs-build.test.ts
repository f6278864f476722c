/** A C program is built, rebuilt and run on a mounted feedfs. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EXPECTED_OUTPUT, writeCProject } from '../programs/c-project.js';
import { withProgram } from '../programs/program-mount.js';
import { run } from '../support/processes.js';

test('make -j2 compiles and links, the program runs from the mount and loads a plugin', () =>
  withProgram(async (program) => {
    const cwd = join(program.mnt, 'project');
    writeCProject(cwd);
    const make = (...args: string[]) => program.sh('make', ['-j2', ...args], { cwd });
    const runs = () => program.sh('./program', ['./plugin.so'], { cwd });
    await make();
    assert.is(await runs(), EXPECTED_OUTPUT);
    assert.match(await make(), /Nothing to be done/, 'times in order');

    // One source changes: its object, the library and the program are made again, and no more.
    fs.writeFileSync(join(cwd, 'part3.c'), '#include "parts.h"\nint part3(void) { return 9; }\n');
    const again = await make();
    assert.match(again, /-o part3\.o/);
    assert.not.match(again, /-o part4\.o/);
    assert.is(await runs(), EXPECTED_OUTPUT);

    await program.mount.remount();
    assert.match(await make(), /Nothing to be done/, 'times in order after a remount');
    assert.is(await runs(), EXPECTED_OUTPUT);
    assert.is((await run('./program', ['./none.so'], { cwd })).code, 1);
    await make('clean');
    await make();
  }));

test('a running program can be replaced, not written', () =>
  withProgram(async (program) => {
    const { mnt } = program;
    fs.copyFileSync('/bin/sleep', join(mnt, 'sleep'));
    fs.chmodSync(join(mnt, 'sleep'), 0o755);
    const script = `
      ./sleep 1000 & pid=$!
      until [ "$(readlink /proc/$pid/exe)" = "$PWD/sleep" ]; do :; done
      if echo x 2>/dev/null > sleep; then echo written; else echo refused; fi
      cp --remove-destination /bin/true sleep
      kill $pid; wait $pid || true
      ./sleep && echo replaced`;
    assert.is(await program.sh('bash', ['-c', script]), 'refused\nreplaced\n');
  }));

test.run();
