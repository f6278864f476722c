/** What a client asks for the objects that it works with: mutations, opens, and waiting for the disk. */
import { Errno, type FsError } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import type { Opened, Service } from '../rpc/messages.js';
import type { GroupCommit } from '../store/group-commit.js';
import type { MutationQueue } from './mutation-queue.js';
import type { Namespace } from './namespace.js';
import { checkUnsigned32 } from './reint/numbers.js';
import type { Replica } from './replica.js';
import type { Retention } from './retention.js';
import type { Applied } from './server.js';

type ObjectMethod =
  | 'reint'
  | 'open'
  | 'contents'
  | 'lock'
  | 'close'
  | 'accessed'
  | 'admitData'
  | 'sync'
  | 'intent'
  | 'intentOver';

export function objectMethods(parts: {
  readonly namespace: Namespace;
  readonly commit: GroupCommit;
  readonly queue: MutationQueue<Applied>;
  readonly room: Retention['room'];
  readonly replica: Replica;
  /** Clients outlive the server. */
  readonly shared: boolean;
}): Pick<Service, ObjectMethod> {
  const { namespace, commit, queue, room, replica, shared } = parts;
  const sync = (answer: (errno: Errno | 0, result: undefined) => void): void =>
    commit.whenFlushed((error) => {
      const answerNow = (error: FsError | undefined): void => answer(error?.errno ?? 0, undefined);
      // Whoever waited for a cut to write behind it must not meet it again.
      const again = shared && error === undefined && namespace.objects.repeatsCuts;
      if (again) commit.whenFlushed(answerNow);
      else answerNow(error);
    });
  return {
    reint: (request, answer) => queue.run(request, answer),
    open: ({ fid }, answer) => {
      // Damaged contents refuse the open, which then must not count.
      const opened = openedOf(namespace, fid);
      namespace.opens.add(fid);
      answer(0, opened);
    },
    contents: ({ fid }, answer) => answer(0, openedOf(namespace, fid)),
    // An embedded server has one client.
    lock: ({ fid }, answer) => answer(0, namespace.inode(fid)),
    close: ({ fid }, answer) => {
      if (namespace.close(fid)) commit.note();
      answer(0, undefined);
    },
    accessed: ({ fid, atime }, answer) => {
      // A copy has the access times that its source told of.
      if (replica.active) return answer(Errno.EROFS, undefined);
      const { inodes } = namespace;
      const inode = inodes.get(fid);
      // Not worth waiting for, nor the last free bytes.
      if (inode !== undefined && !commit.saturated && commit.admits('takes')) {
        inode.atime = atime;
        inodes.touch(inode);
        commit.note();
      }
      answer(0, undefined);
    },
    admitData: ({ who, fid }, answer) => {
      room.admitData(who, fid);
      answer(0, { watchful: room.tell() });
    },
    sync: (_request, answer) => sync(answer),
    intent: ({ fid, generation, durable }, answer) => {
      checkUnsigned32(generation, 'generation');
      const announce = (): void => {
        namespace.objects.intent(fid, generation);
        commit.note();
        if (durable) sync(answer);
        else answer(0, undefined);
      };
      // A record that waits ends the intents before it, not those behind it.
      if (durable) queue.after(announce);
      else announce();
    },
    intentOver: ({ fid, generation }, answer) => {
      namespace.objects.settle(fid, generation);
      commit.note();
      answer(0, undefined);
    },
  };
}

function openedOf(namespace: Namespace, fid: Fid): Opened {
  const inode = namespace.inode(fid);
  const contents = inode.layout === 'inline' ? namespace.inline.get(fid) : undefined;
  return { attributes: inode, contents };
}
