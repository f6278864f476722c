/** Waiting for what a receiving command says first. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HELLO_NOTICE_MS } from '../../src/bridges/send/limits.js';
import { CliError } from '../../src/cli/cli-error.js';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { helloOf } from '../../src/cli/send-hello.js';

class Waiting {
  readonly told: string[] = [];
  readonly stop = new AbortController();
  resolve: (copy: null) => void = () => {};
  pass: ((ms: number) => void) | undefined;
  readonly copy = helloOf({
    copy: new Promise((resolve) => {
      this.resolve = resolve;
    }),
    stop: this.stop.signal,
    after: (ms, run) => {
      this.pass = (passed) => {
        if (passed >= ms) run();
      };
      return () => {
        this.pass = undefined;
      };
    },
    tell: (message) => this.told.push(message),
  });
}

test('a command that takes long is spoken of, and waited for', async () => {
  const waiting = new Waiting();
  waiting.pass?.(HELLO_NOTICE_MS - 1);
  assert.equal(waiting.told, []);
  waiting.pass?.(HELLO_NOTICE_MS);
  assert.is(waiting.told.length, 1);
  assert.match(waiting.told[0] ?? '', /waiting for the receiving command's first line/);
  waiting.resolve(null);
  assert.is(await waiting.copy, null);
  assert.is(waiting.pass, undefined, 'nothing is left to be told');
});

test('being told to stop ends the wait', async () => {
  const waiting = new Waiting();
  waiting.stop.abort();
  try {
    await waiting.copy;
    assert.unreachable();
  } catch (error) {
    assert.instance(error, CliError);
    assert.is((error as CliError).exitCode, ExitCode.INTERRUPTED);
  }
});

test.run();
