/** How commands are given a filter, on an ordinary file in the place of a feed's. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fid, formatFid } from '../../src/base/fid.js';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { withPlainFeed } from '../consumer/plain-feed.js';
import { feedfs } from '../support/mount.js';

interface Given {
  readonly mount: string;
  /** Runs `feed filter backup`; what it printed. */
  readonly filter: (args: readonly string[], input?: string) => Promise<string>;
  readonly refused: (args: readonly string[], exitCode: ExitCode, why: RegExp) => Promise<void>;
  /** What the file says. */
  readonly written: () => string;
}

function withFilterFile(use: (given: Given) => Promise<void>): Promise<void> {
  return withPlainFeed(1, ({ mount, directory }) => {
    const file = path.join(directory, 'filter');
    fs.writeFileSync(file, '');
    const command = ['feed', 'filter', 'backup', '-m', mount];
    return use({
      mount,
      filter: async (args, input) => {
        fs.truncateSync(file);
        const result = await feedfs([...command, ...args], input === undefined ? {} : { input });
        assert.is(result.code, ExitCode.OK, result.stderr);
        return result.stdout.toString();
      },
      refused: async (args, exitCode, why) => {
        const { code, stderr } = await feedfs([...command, ...args]);
        assert.is(code, exitCode, stderr);
        assert.match(stderr, why);
      },
      written: () => fs.readFileSync(file, 'utf8'),
    });
  });
}

test('as JSON, from a file, from standard input', () =>
  withFilterFile(async ({ mount, filter, written }) => {
    await filter(['{"uid":1}']);
    assert.is(written(), '{"uid":1}\n');
    fs.writeFileSync(path.join(mount, 'mine.json'), '{\n  "uid": 2\n}\n');
    await filter([`@${mount}/mine.json`]);
    assert.is(written(), '{\n  "uid": 2\n}\n');
    await filter(['-'], '{"uid":3}');
    assert.is(written(), '{"uid":3}\n');
    await filter(['']);
    assert.is(written(), '\n');
  }));

test('without anything it is shown', () =>
  withPlainFeed(1, async ({ mount, directory }) => {
    const file = path.join(directory, 'filter');
    for (const [content, shown] of [
      ['{"uid":1}\n', '{"uid":1}\n'],
      ['', ''],
    ] as const) {
      fs.writeFileSync(file, content);
      const { stdout, code } = await feedfs(['feed', 'filter', 'backup', '-m', mount]);
      assert.is(code, ExitCode.OK);
      assert.is(stdout.toString(), shown);
      const json = await feedfs(['feed', 'filter', 'backup', '--json', '-m', mount]);
      assert.is(json.stdout.toString(), shown === '' ? '{}\n' : shown);
    }
  }));

test('options that build one', () =>
  withFilterFile(async ({ mount, filter, written }) => {
    await filter(['--op', 'create, unlink', '--op', 'write', '--name', '*.a', '--name', '*.b']);
    assert.equal(JSON.parse(written()), {
      ops: ['create', 'unlink', 'write'],
      name: ['*.a', '*.b'],
    });
    await filter(['--uid', '0', '--uid', '7', '--gid', '5', '--subtree', mount]);
    const { ino } = fs.statSync(mount);
    assert.equal(JSON.parse(written()), {
      subtree: formatFid(ino as Fid),
      uid: [0, 7],
      gid: [5],
    });
  }));

test('what makes no sense is refused before anything is written', () =>
  withFilterFile(async ({ mount, refused, written }) => {
    const { USAGE, FAILURE } = ExitCode;
    await refused(['{}', '--op', 'create'], USAGE, /not both/);
    await refused(['--uid', 'root'], USAGE, /--uid takes a whole number/);
    await refused(['--gid', '4294967295'], USAGE, /0 to 4294967294/);
    await refused(['--subtree', `${mount}/nowhere`], FAILURE, /there is no .*nowhere/);
    await refused(['--subtree', '/proc'], USAGE, /not a directory whose changes/);
    await refused(
      ['--subtree', `${mount}/.lustre/feeds/backup/info`],
      USAGE,
      /info is not a directory/,
    );
    await refused(['@/nowhere.json'], USAGE, /cannot read \/nowhere.json: ENOENT: no such file/);
    const create = ['feed', 'create', 'new', '-m', mount, '--filter', '{}', '--name', 'x'];
    const { code, stderr } = await feedfs(create);
    assert.is(code, USAGE);
    assert.match(stderr, /--filter, or options that build one, not both/);
    assert.not(fs.existsSync(path.join(mount, '.lustre/feeds/new')));
    assert.is(written(), '');
  }));

test.run();
