/** Waiting for what a receiving command says first. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HELLO_MS_MAX, HELLO_NOTICE_MS } from '../../src/bridges/send/limits.js';
import { CliError } from '../../src/cli/cli-error.js';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { helloOf } from '../../src/cli/send-hello.js';

class Waiting {
  readonly told: string[] = [];
  readonly stop = new AbortController();
  resolve: (copy: null) => void = () => {};
  readonly #timers = new Map<() => void, number>();
  readonly copy = helloOf({
    copy: new Promise((resolve) => {
      this.resolve = resolve;
    }),
    stop: this.stop.signal,
    after: (ms, run) => {
      this.#timers.set(run, ms);
      return () => {
        this.#timers.delete(run);
      };
    },
    tell: (message) => this.told.push(message),
  });

  get timers(): number {
    return this.#timers.size;
  }

  /** So long after the beginning. */
  pass(ms: number): void {
    for (const [run, due] of this.#timers) if (ms >= due) run();
  }
}

test('a command that takes long is spoken of, and waited for', async () => {
  const waiting = new Waiting();
  waiting.pass(HELLO_NOTICE_MS - 1);
  assert.equal(waiting.told, []);
  waiting.pass(HELLO_NOTICE_MS);
  assert.is(waiting.told.length, 1);
  assert.match(waiting.told[0] ?? '', /waiting for the receiving command's first line/);
  waiting.resolve(null);
  assert.is(await waiting.copy, null);
  assert.is(waiting.timers, 0, 'nothing is left to be told');
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

test('a command that never says anything is not waited for for ever', async () => {
  const waiting = new Waiting();
  waiting.pass(HELLO_MS_MAX);
  try {
    await waiting.copy;
    assert.unreachable();
  } catch (error) {
    assert.instance(error, CliError);
    assert.is((error as CliError).exitCode, ExitCode.FAILURE);
    assert.match((error as CliError).message, /has to be feedfs receive/);
  }
  assert.is(waiting.timers, 0);
});

test.run();
