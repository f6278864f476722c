import * as fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { COMMAND_NAMES, loadCommands } from '../../src/cli/commands.js';
import { EXIT_CODE_MEANING, ExitCode } from '../../src/cli/exit-codes.js';
import { feedfs } from '../support/mount.js';

const COLUMNS = 80;

function assertFits(text: string): void {
  for (const line of text.split('\n')) assert.ok(line.length <= COLUMNS, `too wide: ${line}`);
}

test('--help names every command and every exit code, in 80 columns', async () => {
  const { code, stdout, stderr } = await feedfs(['--help']);
  const help = stdout.toString();
  assert.is(code, ExitCode.OK);
  assert.is(stderr, '');
  assertFits(help);
  for (const name of COMMAND_NAMES) assert.match(help, new RegExp(`^  ${name} `, 'm'));
  for (const exitCode of Object.values(ExitCode)) {
    assert.match(
      help,
      new RegExp(`^ +${exitCode}  ${EXIT_CODE_MEANING[exitCode].slice(0, 30)}`, 'm'),
    );
  }
});

/** From dist/test/cli/ to the top. */
const README = fileURLToPath(new URL('../../../README.md', import.meta.url));

test('the README has the same exit codes', () => {
  if (!fs.existsSync(README)) return;
  const readme = fs.readFileSync(README, 'utf8');
  for (const exitCode of Object.values(ExitCode)) {
    const row = `| ${exitCode} | ${EXIT_CODE_MEANING[exitCode]} |`;
    assert.ok(readme.includes(row), `missing in README.md: ${row}`);
  }
});

test('exit codes are distinct', () => {
  const codes = Object.values(ExitCode);
  assert.is(new Set(codes).size, codes.length);
});

const commands = await loadCommands();

test('every command is listed under its own name', () => {
  assert.equal(
    commands.map(({ name }) => name),
    COMMAND_NAMES,
  );
});

for (const command of commands) {
  const words = command.name.split(' ');

  test(`${command.name} --help lists its arguments and options, in 80 columns`, async () => {
    const { code, stdout } = await feedfs([...words, '--help']);
    const help = stdout.toString();
    assert.is(code, ExitCode.OK);
    assertFits(help);
    assert.ok(help.startsWith(`Usage: feedfs ${command.name} `));
    for (const { name } of command.positionals) assert.match(help, new RegExp(`^  ${name} `, 'm'));
    for (const { name } of command.options) assert.ok(help.includes(`--${name}`), name);
  });

  test(`${command.name} refuses what it does not take`, async () => {
    const operands = command.positionals.map(() => 'x');
    for (const args of [['--no-such-option'], [...operands, 'extra']]) {
      const { code, stdout, stderr } = await feedfs([...words, ...args]);
      assert.is(code, ExitCode.USAGE, stderr);
      assert.is(stdout.length, 0);
      assert.match(stderr, /^feedfs: .+\n$/);
    }
    if (operands.length === 0) return;
    const missing = await feedfs(words);
    assert.is(missing.code, ExitCode.USAGE);
    assert.match(missing.stderr, / is missing\n$/);
  });
}

test('no command, an unknown one, a group without a word', async () => {
  assert.is((await feedfs([])).code, ExitCode.USAGE);
  assert.match((await feedfs(['frobnicate'])).stderr, /no command "frobnicate"/);
  const group = await feedfs(['feed']);
  assert.is(group.code, ExitCode.USAGE);
  assert.match(group.stderr, /needs one of: create, ls, show, .*ack, .*rm/);
  assert.is((await feedfs(['feed', 'frobnicate'])).code, ExitCode.USAGE);
  assert.is((await feedfs(['feed', '--help'])).code, ExitCode.OK);
});

test('--version', async () => {
  const { code, stdout } = await feedfs(['--version']);
  assert.is(code, ExitCode.OK);
  assert.match(stdout.toString(), /^feedfs \d+\.\d+\.\d+\n$/);
});

test.run();
