// test-timeout: 300 s
/** Filters of mounted feeds: what they let pass, when they hold, what is refused. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { feedfs, withMount } from '../support/mount.js';
import { runOk } from '../support/processes.js';
import { fidOf, readFile, setFilter, shown, withFeeds } from './filter-fixture.js';
import { USER } from './ordinary-user.js';

test('by operation and by name, also of what is written', () =>
  withFeeds({ made: '{"ops":["create","mkdir"]}', jpg: '{"name":"*.jpg"}' }, async (mount) => {
    const at = (name: string) => join(mount.mnt, name);
    fs.mkdirSync(at('d'));
    fs.writeFileSync(at('d/x.jpg'), 'picture');
    fs.writeFileSync(at('d/x.txt'), 'text');
    fs.renameSync(at('d/x.txt'), at('d/y.jpg'));
    fs.appendFileSync(at('d/y.jpg'), 'more');
    fs.chmodSync(at('d/y.jpg'), 0o600);
    fs.unlinkSync(at('d/x.jpg'));
    assert.equal(await shown(mount, 'made'), ['mkdir d', 'create x.jpg', 'create x.txt']);
    assert.equal(await shown(mount, 'jpg'), [
      'create x.jpg',
      'write',
      'rename x.txt',
      'write',
      'setattr',
      'unlink x.jpg',
    ]);
  }));

test('a subtree: moves in and out, hard links in two trees, the directory itself', () =>
  withMount(async (mount) => {
    const at = (name: string) => join(mount.mnt, name);
    mount.feed('all');
    fs.mkdirSync(at('in'));
    fs.mkdirSync(at('out'));
    setFilter(mount, 'tree', JSON.stringify({ subtree: fidOf(at('in')) }));
    fs.mkdirSync(at('out/d'));
    fs.writeFileSync(at('out/d/f'), 'not seen');
    fs.renameSync(at('out/d'), at('in/d'));
    fs.writeFileSync(at('in/d/g'), 'seen');
    fs.linkSync(at('in/d/g'), at('out/link'));
    fs.chmodSync(at('out/link'), 0o600);
    fs.renameSync(at('in'), at('elsewhere'));
    fs.mkdirSync(at('elsewhere/still'));
    fs.rmdirSync(at('elsewhere/still'));
    fs.renameSync(at('elsewhere/d'), at('out/d'));
    fs.mkdirSync(at('out/d/gone'));
    fs.unlinkSync(at('out/d/g'));
    fs.chmodSync(at('out/link'), 0o644);
    fs.rmdirSync(at('elsewhere'));
    assert.equal(await shown(mount, 'tree'), [
      'rename d',
      'create g',
      'write',
      'link link',
      'setattr',
      'rename in',
      'mkdir still',
      'rmdir still',
      'rename d',
      'rmdir elsewhere',
    ]);
  }));

test('a file with a name in the subtree: whatever changes its other names is shown', () =>
  withMount(async (mount) => {
    const at = (name: string) => join(mount.mnt, name);
    mount.feed('all');
    fs.mkdirSync(at('in'));
    fs.mkdirSync(at('out'));
    fs.writeFileSync(at('in/f.jpg'), '');
    setFilter(mount, 'tree', JSON.stringify({ subtree: fidOf(at('in')) }));
    setFilter(mount, 'jpg', '{"name":"*.jpg"}');
    fs.linkSync(at('in/f.jpg'), at('out/a'));
    fs.linkSync(at('out/a'), at('out/b'));
    fs.renameSync(at('out/a'), at('out/c'));
    fs.writeFileSync(at('out/x'), '');
    // In place of one of its names.
    fs.renameSync(at('out/x'), at('out/c'));
    fs.unlinkSync(at('out/b'));
    fs.unlinkSync(at('out/c'));
    const seen = ['link a', 'link b', 'rename a', 'rename x', 'unlink b'];
    assert.equal(await shown(mount, 'tree'), seen);
    assert.equal(await shown(mount, 'jpg'), seen);
  }));

if (process.getuid?.() === 0) {
  test('by who made the change', () =>
    withFeeds({ theirs: `{"uid":${USER.uid}}`, root: '{"not":{"gid":65534}}' }, async (mount) => {
      fs.mkdirSync(join(mount.mnt, 'shared'));
      fs.chmodSync(join(mount.mnt, 'shared'), 0o1777);
      await runOk('sh', ['-c', 'mkdir shared/one && echo x > shared/one/two'], {
        cwd: mount.mnt,
        ...USER,
      });
      assert.equal(await shown(mount, 'theirs'), ['mkdir one', 'create two', 'write']);
      assert.equal(await shown(mount, 'root'), ['mkdir shared', 'setattr']);
    }));
}

test('another filter on a feed that is being read: what was logged before stays', () =>
  withFeeds({ f: '' }, async (mount) => {
    const make = (name: string) => fs.mkdirSync(join(mount.mnt, name));
    make('a');
    setFilter(mount, 'f', '{"name":"b*"}');
    assert.is(readFile(mount, 'f'), '{"name":"b*"}\n');
    for (const name of ['a1', 'b1']) make(name);
    assert.equal(await shown(mount, 'f'), ['mkdir a', 'mkdir b1']);
    setFilter(mount, 'f', '{"name":["a*"]}\n');
    assert.is(readFile(mount, 'f'), '{"name":"a*"}\n');
    for (const name of ['a2', 'b2']) make(name);
    await mount.remount();
    for (const name of ['a3', 'b3']) make(name);
    setFilter(mount, 'f', '{}');
    assert.is(readFile(mount, 'f'), '');
    for (const name of ['a4', 'b4']) make(name);
    const all = ['mkdir a', 'mkdir b1', 'mkdir a2', 'mkdir a3', 'mkdir a4', 'mkdir b4'];
    assert.equal(await shown(mount, 'f'), all);
  }));

test('what is no filter is refused, changes nothing, and info says why', () =>
  withFeeds({ f: '{"name":"*.jpg"}' }, async (mount) => {
    const bad = ['{"ops":', '{"ops":[]}', '{"name":"a/b"}', '\xff', `${' '.repeat(70_000)}{}`];
    for (const text of bad) {
      assert.throws(
        () => fs.writeFileSync(join(mount.feed('f'), 'filter'), Buffer.from(text, 'latin1')),
        (error: NodeJS.ErrnoException) => error.code === 'EINVAL',
      );
      const { lastError } = JSON.parse(readFile(mount, 'f', 'info')) as { lastError: string };
      assert.match(lastError, /^filter: /, text.slice(0, 20));
      assert.is(readFile(mount, 'f'), '{"name":"*.jpg"}\n');
    }
    const refused = await feedfs(['feed', 'filter', 'f', '{"uid":"root"}', '-m', mount.mnt]);
    assert.is(refused.code, ExitCode.USAGE);
    assert.match(
      refused.stderr,
      /filter: uid is "root", not a number.*; the filter of feed f is as it was/,
    );
  }));

test('two writers at once: the filter is one of theirs, whole', () =>
  withFeeds({ f: '' }, async (mount) => {
    const file = join(mount.feed('f'), 'filter');
    const texts = ['{"uid":1}', '{"uid":2}', '{"name":"x"}', '{"ops":"unlink"}'];
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => fs.promises.writeFile(file, texts[i % 4] ?? '')),
    );
    assert.ok(texts.includes(readFile(mount, 'f').trimEnd()));
  }));

test('feed create with a filter owes nothing from before it', () =>
  withMount(async (mount) => {
    mount.feed('all');
    const going = join(mount.folder, 'going');
    fs.writeFileSync(going, '');
    // Somebody changes things all the time.
    const script = `while [ -e '${going}' ]; do mkdir x.txt; rmdir x.txt; done`;
    const busy = runOk('sh', ['-c', script], { cwd: mount.mnt });
    const args = ['--name', '*.jpg', '--subtree', mount.mnt, '-m', mount.mnt];
    for (let i = 0; i < 3; i++) {
      const { code, stderr } = await feedfs(['feed', 'create', `jpg-${i}`, ...args]);
      assert.is(code, 0, stderr);
    }
    fs.unlinkSync(going);
    await busy;
    fs.mkdirSync(join(mount.mnt, 'y.jpg'));
    for (let i = 0; i < 3; i++) assert.equal(await shown(mount, `jpg-${i}`), ['mkdir y.jpg']);
    const bad = await feedfs(['feed', 'create', 'bad', '--op', 'nothing', '-m', mount.mnt]);
    assert.is(bad.code, ExitCode.USAGE);
    assert.match(bad.stderr, /"nothing", which is no operation.*; feed bad was not made/);
    assert.not(fs.existsSync(join(mount.mnt, '.lustre/feeds/bad')));
  }));

test.run();
