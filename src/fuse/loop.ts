/**
 * The event loop of a session: reads requests until there are none, keeps
 * asking for a short while after the last one (busy-polling saves the wake-up
 * that is most of a round trip), then sleeps in poll(2).
 *
 * Inside a run no promise continuation, timer or I/O callback is served. So a
 * run is bounded in requests and in time, and gives way to the event loop when
 * the owner says that completions are outstanding.
 *
 * There are two ways to sleep. A *rest* blocks this thread in poll(2), on the
 * device and on all that the event loop waits for, when the owner says for how
 * long no timer is due. A *sleep* has another thread wait for the device, and the
 * event loop runs as always.
 */
import type { LoopHooks } from './api.js';
import {
  BATCH_REQUESTS_MAX,
  REST_US_MAX,
  REST_US_MIN,
  WAKEUPS_PER_PAUSE_MAX,
  WAKEUPS_PER_REQUEST_MAX,
} from './limits.js';

/** What the loop runs on; tests have one with a clock of their own. */
export interface LoopPort {
  /** Reads the next request: its bytes, 0 if none waits, negative at the end of the connection. */
  read(): number;
  /** Handles the request just read. Must not throw. */
  handle(bytes: number): void;
  readonly notifications: { readonly pending: boolean; flush(wakeupsMax: number): void };
  /** Calls `wake` once when there may be something to read. */
  sleep(wake: () => void): void;
  /** Ends a sleep: its `wake` is called soon. */
  rouse(): void;
  /** Blocks until there may be something to read, for at most `us` microseconds; true if there may. */
  rest(us: number): boolean;
  /** Calls `next` in the next turn of the event loop. */
  yield(next: () => void): void;
  /** Monotonic, in microseconds. */
  nowUs(): number;
  /** The connection is over: with the error that ended it, or by unmounting. */
  ended(error?: unknown): void;
}

export interface LoopOptions {
  readonly hooks: LoopHooks;
  /** How long to keep asking after the last request; 0 sleeps at once. */
  readonly busyPollUs: number;
  /** How long a run may last before the event loop gets its turn. */
  readonly sliceUs: number;
}

export class Loop {
  readonly #port: LoopPort;
  readonly #options: LoopOptions;
  readonly #run = () => this.#runOnce();
  readonly #wake = () => {
    this.#asleep = false;
    this.#runSoon(true);
  };
  #running = false;
  /** A run is due in the next turn of the event loop. */
  #yielded = false;
  /** A thread waits for the device. */
  #asleep = false;
  #stopped = false;
  /** The event loop had its turn since the last rest. */
  #turned = false;
  #lastRequestUs = 0;

  constructor(port: LoopPort, options: LoopOptions) {
    this.#port = port;
    this.#options = options;
  }

  start(): void {
    this.#lastRequestUs = this.#port.nowUs();
    this.kick();
  }

  /** Has the loop look at the device, the hooks and the notifications soon, outside of the caller. */
  kick(): void {
    if (!this.#running) this.#runSoon(false);
  }

  stop(): void {
    this.#stopped = true;
  }

  #runSoon(atOnce: boolean): void {
    if (this.#yielded || this.#stopped) return;
    this.#yielded = true;
    if (atOnce) this.#runOnce();
    else this.#port.yield(this.#run);
  }

  #runOnce(): void {
    this.#yielded = false;
    if (this.#stopped) return;
    this.#running = true;
    let next: 'yield' | 'sleep' | 'end' = 'end';
    try {
      next = this.#drain();
      if (next === 'end') this.#end();
    } catch (error) {
      this.#end(error);
    } finally {
      this.#running = false;
    }
    if (this.#stopped) return;
    if (next === 'yield') this.kick();
    else this.#pause();
  }

  /** Nothing to do: rests if the owner allows it, else sleeps. */
  #pause(): void {
    const restUs = Math.min(this.#options.hooks.restUs?.(this.#port.nowUs()) ?? 0, REST_US_MAX);
    if (restUs < REST_US_MIN) {
      if (this.#asleep) return;
      this.#asleep = true;
      this.#port.sleep(this.#wake);
    } else if (this.#asleep) {
      this.#port.rouse();
    } else if (!this.#turned) {
      // Signals and whatever else came up meanwhile are served between two rests.
      this.#turned = true;
      this.kick();
    } else {
      this.#turned = false;
      if (this.#port.rest(restUs)) this.#runSoon(true);
      else this.kick();
    }
  }

  /** One run; says what comes after it. */
  #drain(): 'yield' | 'sleep' | 'end' {
    const port = this.#port;
    const { notifications } = port;
    const { hooks, busyPollUs, sliceUs } = this.#options;
    let now = port.nowUs();
    const sliceEndUs = now + sliceUs;
    let requestsLeft = BATCH_REQUESTS_MAX;

    while (!this.#stopped) {
      const bytes = port.read();
      if (bytes < 0) return 'end';
      if (bytes > 0) {
        port.handle(bytes);
        now = port.nowUs();
        this.#lastRequestUs = now;
        if (notifications.pending) notifications.flush(WAKEUPS_PER_REQUEST_MAX);
        if (--requestsLeft === 0 || now >= sliceEndUs) {
          hooks.tick(now);
          return 'yield';
        }
        continue;
      }
      now = port.nowUs();
      if (hooks.poll?.() === true) this.#lastRequestUs = now;
      const outstanding = hooks.tick(now);
      if (notifications.pending) {
        notifications.flush(WAKEUPS_PER_PAUSE_MAX);
        // Whoever was woken asks again at once: that is worth waiting for.
        this.#lastRequestUs = port.nowUs();
        if (notifications.pending && now < sliceEndUs) continue;
        if (notifications.pending) return 'yield';
      }
      if (now - this.#lastRequestUs >= busyPollUs) return 'sleep';
      if (outstanding || now >= sliceEndUs) return 'yield';
    }
    return 'sleep';
  }

  #end(error?: unknown): void {
    this.#stopped = true;
    this.#port.ended(error);
  }
}
