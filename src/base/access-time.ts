/** When reading an object changes its access time: relatime, as mount(8) defines it. */
import { compareTimes, type Timespec } from './time.js';

const DAY_SEC = 86_400;

interface Times {
  readonly atime: Timespec;
  readonly mtime: Timespec;
  readonly ctime: Timespec;
}

/** The first read after a change counts, and one a day. `now` is only asked for if it matters. */
export function isAccessDue({ atime, mtime, ctime }: Times, now: () => Timespec): boolean {
  if (compareTimes(atime, mtime) <= 0 || compareTimes(atime, ctime) <= 0) return true;
  return now().sec - atime.sec >= DAY_SEC;
}
