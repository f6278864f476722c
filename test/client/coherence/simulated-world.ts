/** What a simulated mount has around it, and what it knows of a file. */
import type { Fid } from '../../../src/base/fid.js';
import type { Clock } from '../../../src/base/time.js';

export interface MountWorld {
  readonly clock: Clock;
  stamp(): number;
  /** Does it some time later. */
  later(run: () => void): void;
  /** What a look that begins now must at least see. */
  floor(key: string): number;
  /** A look has ended that told this version. */
  seen(key: string, version: number, floor: number): void;
  /** A change has ended that made this version. */
  changed(key: string, version: number): void;
}

interface File {
  /** Written and not recorded. */
  dirty: number | undefined;
  recording: number | undefined;
  /** Contents that need not be asked for. */
  contents: number | undefined;
  readonly waiting: (() => void)[];
  /** Written back from a mapping, and not recorded: others may have changed it since. */
  mapped: boolean;
  /** Changes of size that wait until this mount alone has the file, or others want it. */
  readonly resizing: (() => void)[];
  /** A change of attributes is under way: writes wait. */
  gate: (() => void)[] | undefined;
}

export class KnownFiles {
  readonly #files = new Map<Fid, File>();

  of(fid: Fid): File {
    let file = this.#files.get(fid);
    if (file === undefined) {
      const nothing = { dirty: undefined, recording: undefined, contents: undefined };
      file = { ...nothing, mapped: false, waiting: [], resizing: [], gate: undefined };
      this.#files.set(fid, file);
    }
    return file;
  }
}
