/** What a receiving command says first: which copy there is. */
import { HELLO_MS_MAX, HELLO_NOTICE_MS } from '../bridges/send/limits.js';
import type { Copy } from '../bridges/send/start.js';
import { CliError } from './cli-error.js';
import { ExitCode } from './exit-codes.js';

const NO_HELLO =
  'the receiving command did not say in ten minutes what copy is there: it has to be feedfs receive, with nothing else on its standard output';

export interface HelloParts {
  /** Undefined: nobody will tell. */
  readonly copy: Promise<Copy | null | undefined>;
  /** Aborts when it is not wanted any more. */
  readonly stop: AbortSignal;
  /** Calls `run` after so many ms, unless what it returns is called before. */
  after(ms: number, run: () => void): () => void;
  /** For people. */
  tell(message: string): void;
}

/** Waits for it, and says so if that takes long. Throws CliError when it takes too long, and when it is told to stop. */
export async function helloOf({
  copy,
  stop,
  after,
  tell,
}: HelloParts): Promise<Copy | null | undefined> {
  let tooLate: () => void = () => {};
  const late = new Promise<never>((_, reject) => {
    tooLate = () => reject(new CliError(ExitCode.FAILURE, NO_HELLO));
  });
  const cancelLate = after(HELLO_MS_MAX, () => tooLate());
  const cancel = after(HELLO_NOTICE_MS, () => {
    tell(
      "waiting for the receiving command's first line, which says what copy is there (it has to be feedfs receive, a dry run with --json; Ctrl-C ends this)",
    );
  });
  try {
    return await Promise.race([copy, late, rejection(stop)]);
  } finally {
    cancel();
    cancelLate();
  }
}

function rejection(stop: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => {
      reject(new CliError(ExitCode.INTERRUPTED, 'stopped before anything was sent'));
    };
    if (stop.aborted) fail();
    else stop.addEventListener('abort', fail, { once: true });
  });
}
