/** Where the contents of regular files come from, as they are now. */
import type { Fid } from '../../base/fid.js';
import type { Extent } from '../../feed/record.js';
import type { Contents } from '../stream/frame.js';

/** Takes a part, whose bytes may change once this resolves; undefined: they may at once. */
export type PutContents = (part: Contents) => Promise<void> | undefined;

export interface ContentsSource {
  /**
   * Gives what is in the ranges, as far as the file goes. Throws SendError `contents` if
   * it cannot be read; a file that is not there any more is `gone`, and no error.
   */
  read(fid: Fid, ranges: readonly Extent[], put: PutContents): Promise<void>;
}
