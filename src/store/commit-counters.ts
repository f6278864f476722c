/** What the group commit counts about itself, from the opening of the store on. */
import { Histogram } from '../base/histogram.js';

export class CommitCounters {
  commits = 0;
  changes = 0;
  flushes = 0;
  failures = 0;
  /** Microseconds of commits, from the first write to the page cache. */
  readonly us = new Histogram();
  /** Microseconds from the start of a commit until it was on disk. */
  readonly flushUs = new Histogram();
  /** Changes in one commit. */
  readonly batch = new Histogram();

  committed(changes: number, us: number): void {
    this.commits++;
    this.changes += changes;
    this.batch.observe(changes);
    this.us.observe(us);
  }

  flushed(us: number): void {
    this.flushes++;
    this.flushUs.observe(us);
  }
}
