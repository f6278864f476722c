/** A reader that waits on a feed can be ended: how fast, measured. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type MountOptions, withMount } from '../support/mount.js';
import { run } from '../support/processes.js';
import { TestFeed } from './feed-fixture.js';
import { following } from './follow.js';

const ROUNDS = 21;
const MEDIAN_MS_MAX = 100;
/** For each single one, on a machine that has other things to do. */
const EACH_MS_MAX = 1_000;
const KINDS: readonly MountOptions[] = [{}, { options: 'busy_poll=0' }];

for (const kind of KINDS) {
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    const label = kind.options ?? 'defaults';
    test(`${label}: a blocked reader dies of ${signal} within ${MEDIAN_MS_MAX} ms`, () =>
      withMount(async (mount) => {
        const path = new TestFeed(mount).path('stream.ndjson');
        const times: number[] = [];
        for (let i = 0; i < ROUNDS; i++) {
          await following('cat', [path], async (cat) => {
            await cat.blocks();
            times.push(await cat.end(signal));
            assert.is(cat.child.signalCode, signal);
          });
        }
        times.sort((a, b) => a - b);
        const [median = 0, worst = 0] = [times[ROUNDS >> 1], times.at(-1)];
        const shown = `median ${median.toFixed(1)} ms, worst ${worst.toFixed(1)} ms`;
        console.log(`${label}: ${signal}: ${shown}`);
        assert.ok(median < MEDIAN_MS_MAX && worst < EACH_MS_MAX, shown);
      }, kind));
  }
}

test('a signal with a handler that returns lets read fail with EINTR', () =>
  withMount(async (mount) => {
    const path = new TestFeed(mount).path('stream.ndjson');
    // Perl's sysread does not go on by itself after a signal, unlike most programs' read.
    const script = `
      $SIG{ALRM} = sub {};
      open(F, '<', $ARGV[0]) or die; alarm 1;
      my $n = sysread(F, $_, 100);
      print defined $n ? "read $n" : $!{EINTR} ? 'EINTR' : "$!";`;
    const { stdout } = await run('perl', ['-MErrno', '-e', script, path]);
    assert.is(stdout.toString(), 'EINTR');
  }));

test.run();
