/**
 * What a server that was not stopped in order left behind, when it embeds its only
 * client: that client's opens are gone with it.
 *
 * | found                                     | decision                              |
 * |-------------------------------------------|---------------------------------------|
 * | removal or truncation of an object file   | done now: its cause is on disk        |
 * | intent, the file still holds that object  | a write record for all of the file    |
 * | intent, any other object                  | the object file is garbage: removed   |
 * | object file made after the last commit     | the same: what no inode names is removed |
 * | orphan                                    | destroyed: nobody has it open         |
 */
import type { Fid } from '../base/fid.js';
import type { Credentials } from '../rpc/messages.js';
import type { Inode } from './inode.js';
import type { MetadataServer } from './server.js';

const NOBODY: Credentials = { uid: 0, gid: 0, pid: 0, jobid: '', nid: '0@lo' };

export function recover(
  server: MetadataServer,
  unsettled: readonly { readonly fid: Fid; readonly generation: number }[],
): void {
  const { namespace, commit } = server;
  let found = 0;
  for (const { fid, generation } of namespace.objects.recover()) {
    recoverIntent(server, fid, generation);
    found++;
  }
  for (const { fid, generation } of unsettled) {
    if (holds(namespace.inodes.get(fid), generation)) continue;
    namespace.objects.discard(fid, generation);
    found++;
  }
  for (const fid of namespace.orphans.list()) {
    const inode = namespace.inodes.get(fid);
    if (inode !== undefined && inode.nlink === 0) namespace.destroy(inode);
    namespace.orphans.remove(fid);
    found++;
  }
  if (found > 0 || namespace.objects.pending) commit.note(Math.max(1, found));
}

function holds(inode: Inode | undefined, generation: number): boolean {
  return inode !== undefined && inode.layout === 'object' && inode.generation === generation;
}

function recoverIntent(server: MetadataServer, fid: Fid, generation: number): void {
  const { namespace } = server;
  const inode = namespace.inodes.get(fid);
  if (inode === undefined || !holds(inode, generation)) {
    namespace.objects.discard(fid, generation);
    return;
  }
  const { ctime } = inode;
  server.apply({
    who: NOBODY,
    // A copy has the ctime of its source; its receiver's own end does the same (client/replica).
    verbatim: server.replica.active ? { time: ctime, fid, ctime } : undefined,
    change: {
      op: 'write',
      fid,
      // It is empty where space was set aside for what is to come.
      extents: inode.size === 0 ? [] : [{ offset: 0, length: inode.size }],
      size: inode.size,
      mtime: inode.mtime,
      layout: 'object',
      generation,
      blocks: inode.blocks,
      contents: undefined,
      killSuidgid: false,
      keepIntent: false,
    },
  });
}
