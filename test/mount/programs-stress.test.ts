// test-timeout: 300 s
/** stress-ng's filesystem stressors, each with --verify, on a mounted feedfs. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ProgramMount, withProgram } from '../programs/program-mount.js';
import { NOT_RUN, STRESSORS, type Stressor, XATTR } from '../programs/stressors.js';
import { withMount } from '../support/mount.js';
import { run } from '../support/processes.js';

const ONE_MS = 60_000;
/** Those of Debian 12, for which the lists of stressors were made. */
const LISTED_VERSION = /version 0\.15\./;

/** What is wrong with a stressor's run, if anything; a stressor that skips itself has shown nothing. */
async function stress(program: ProgramMount, stressor: Stressor): Promise<string[]> {
  const { name, args, instances } = stressor;
  const folder = join(program.mnt, name);
  fs.mkdirSync(folder);
  // The same numbers in every run, and never killed for want of memory.
  const common = ['--verify', '--no-rand-seed', '--oom-avoid', '--temp-path', folder];
  const result = await run('stress-ng', [`--${name}`, `${instances}`, ...args, ...common], {
    timeoutMs: ONE_MS,
    cwd: folder,
  });
  const output = `${result.stdout}${result.stderr}`;
  const bad = result.code !== 0 || /fail:|error:|skipp/.test(output);
  const left = fs.readdirSync(folder);
  return [
    ...(bad ? [`${name}: exit code ${result.code}\n${output}`] : []),
    ...(left.length > 0 ? [`${name} could not remove ${left}`] : []),
  ];
}

test(`${STRESSORS.length} stressors of stress-ng find nothing`, () =>
  withProgram(async (program) => {
    const problems: string[] = [];
    for (const stressor of STRESSORS) problems.push(...(await stress(program, stressor)));
    assert.is(problems.join('\n'), '');
  }));

test('the xattr stressor finds nothing, and a second feedfs can hold what the feed says', () =>
  withMount((second) =>
    withProgram(
      async (program) => assert.is((await stress(program, XATTR)).join('\n'), ''),
      join(second.mnt, 'target'),
    ),
  ));

test('no filesystem stressor is left out without a reason', async () => {
  const listing = await run('stress-ng', ['--class', 'filesystem?', '--version']);
  const text = `${listing.stdout}${listing.stderr}`;
  const version = await run('stress-ng', ['--version']);
  if (!LISTED_VERSION.test(`${version.stdout}`)) return;
  const names = /class 'filesystem' stressors: (.*)/.exec(text)?.[1]?.trim().split(' ') ?? [];
  assert.ok(names.length > 30, text);
  const listed = new Set([
    ...STRESSORS.map(({ name }) => name),
    XATTR.name,
    ...Object.keys(NOT_RUN),
  ]);
  assert.equal(
    names.filter((name) => !listed.has(name)),
    [],
  );
});

test.run();
