/** The consumer library's watch, on a mount. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openWatch } from '../../src/consumer/watch.js';
import { withMount } from '../support/mount.js';

test('records as they come, until it is closed', () =>
  withMount(async ({ mnt }) => {
    const watch = await openWatch(mnt, { ops: ['mkdir'] });
    const names: unknown[] = [];
    const reading = (async () => {
      for await (const { op, name, index } of watch.records()) {
        names.push(`${op} ${name}`);
        assert.ok(index > 0);
        fs.mkdirSync(join(mnt, `d${names.length}`));
        if (names.length === 3) watch.close();
      }
    })();
    fs.mkdirSync(join(mnt, 'd0'));
    fs.rmdirSync(join(mnt, 'd0'));
    await reading;
    assert.equal(names, ['mkdir d0', 'mkdir d1', 'mkdir d2']);
    watch.close();
  }));

test('a signal ends the waiting', () =>
  withMount(async ({ mnt }) => {
    const watch = await openWatch(mnt);
    const stop = new AbortController();
    const next = watch.records({ signal: stop.signal }).next();
    stop.abort(new Error('enough'));
    await next.then(
      () => assert.unreachable(),
      (error: Error) => assert.is(error.message, 'enough'),
    );
    watch.close();
  }));

test('a refused filter says why, and an absent mount that there is none', () =>
  withMount(async ({ mnt, folder }) => {
    for (const [where, filter, wanted] of [
      [mnt, { name: '' }, /^EINVAL: filter: /],
      [folder, {}, /^ENOENT/],
    ] as const) {
      await openWatch(where, filter).then(
        () => assert.unreachable(),
        (error: Error) => assert.match(error.message, wanted),
      );
    }
  }));

test.run();
