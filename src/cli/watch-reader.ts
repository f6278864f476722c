/** Whether somebody still reads what a command prints while it waits. */
import * as fs from 'node:fs';
import { poller } from '../consumer/poller.js';
import { BrokenPipe } from './output.js';

const STDOUT = 1;

/** Ends the following when the reader of a pipe goes away, even if nothing more is ever printed. */
export function watchReader(stop: AbortController): void {
  if (!fs.fstatSync(STDOUT).isFIFO()) return;
  poller.wait(STDOUT, stop.signal).then(
    (readiness) => {
      if (readiness === 'hangup') stop.abort(new BrokenPipe());
    },
    () => {},
  );
}
