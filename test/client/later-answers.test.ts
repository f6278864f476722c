// test-timeout: 300 s
/**
 * The tests of the client once more, with a server whose answers come after its calls have
 * returned, as bytes (support/later-connection.ts).
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { exitOf } from '../support/processes.js';
import { LATER_VARIABLE } from '../support/simulated.js';

const OUTPUT = fileURLToPath(new URL('../', import.meta.url));
const FOLDERS = ['client', 'sim'];

/** What depends on an answer before the call returns, by file; the rest must be as it always is. */
const DIFFERENT: Readonly<Record<string, readonly string[]>> = {
  // The free room is asked for while the first write goes on.
  'client/file-io.test.js': [
    'a full disk is ENOSPC for the writer of a small file, and what was written stays',
  ],
  // A record on its way has what was written before it, and the next one only what came after.
  'client/recorder.test.js': [
    'who overtakes a record that waits for the disk is the author of the next',
  ],
  // They call handlers, and look, before anything could have arrived.
  'client/replica-contents.test.js': [
    'a store is empty when the contents of what was in it are removed',
  ],
  'client/replica-view.test.js': ['not of what found no room in a listing'],
};

function simulatedTests(): string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(`${OUTPUT}${folder}`)
      .filter((name) => name.endsWith('.test.js'))
      .map((name) => `${folder}/${name}`)
      .filter((path) => readFileSync(OUTPUT + path, 'latin1').includes('/simulated.js')),
  ).filter((path) => path !== 'client/later-answers.test.js');
}

for (const path of simulatedTests()) {
  test(`${path} with later answers`, async () => {
    const env = { ...process.env, [LATER_VARIABLE]: '1' };
    const child = spawn(process.execPath, [OUTPUT + path], { env });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    await exitOf(child);
    const failed = [...output.matchAll(/^ *FAIL +(?:\S.*? )?"(.+)"$/gm)].map(([, name]) => name);
    assert.equal(failed, DIFFERENT[path] ?? [], output);
    assert.match(output, /Passed: +[1-9]/);
  });
}

test.run();
