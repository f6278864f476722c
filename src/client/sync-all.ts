/**
 * What syncfs(2) asks for, and fsync(2) of the root, and of what is below `.lustre` and has no
 * meaning of its own for that.
 */
import type { ClientContext } from './context.js';
import type { Done } from './recorder.js';

/**
 * Everything that was written before this is in records, on disk, and visible in the feeds
 * when it calls back; with the refusal if any of it is not. What a mapping changed and the
 * kernel did not write back is not known here.
 */
export function syncAll({ files, mds }: Pick<ClientContext, 'files' | 'mds'>, done: Done): void {
  // A record may have to wait for its turn, and a sync that does not know of it would not.
  files.recordAll((refusal) => {
    if (refusal === 0) mds.call('sync', undefined, (errno) => done(errno));
    else done(refusal);
  });
}
