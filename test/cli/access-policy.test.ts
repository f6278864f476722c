/** Which mount options stop reads from moving access times. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { accessPolicy } from '../../src/cli/access-policy.js';

test('the later option counts; a read-only mount moves none', () => {
  for (const [options, expected] of [
    ['', 'relatime'],
    ['noatime', 'noatime'],
    ['noatime,relatime', 'relatime'],
    ['strictatime,noatime', 'noatime'],
    ['nodiratime', 'nodiratime'],
    ['nodiratime,diratime', 'relatime'],
    ['noatime,nodiratime', 'noatime'],
    ['nosuid,lazytime', 'relatime'],
  ] as const) {
    assert.is(accessPolicy(options.split(','), false), expected, options);
    assert.is(accessPolicy(options.split(','), true), 'noatime', `${options},ro`);
  }
});

test.run();
