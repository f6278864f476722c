/** From a node of the control tree to an open of it. */
import { Errno } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import type { Caller, OpenReply } from '../../fuse/api.js';
import { FOPEN_DIRECT_IO, FOPEN_STREAM } from '../../fuse/wire/abi.js';
import type { FeedText, FeedView, Stats } from '../../rpc/messages.js';
import type { ClientContext } from '../context.js';
import { BaselineReader } from './baseline-reader.js';
import { ChangelogReader } from './changelog-reader.js';
import { FeedReader } from './feed-reader.js';
import { nodeOfFid, withoutFeed } from './nodes.js';
import type { ControlOpen } from './open.js';
import { PlacesQuery } from './places-query.js';
import { recoveryText } from './recovery-text.js';
import { ReplicaWriter } from './replica-writer.js';
import { SettingFile, TextFile } from './text-file.js';
import { type Identify, WatchReader } from './watch-reader.js';
import { watcher } from './watcher.js';

const O_ACCMODE = 0o3;
const O_WRONLY = 0o1;
const O_TRUNC = 0o1000;

/** While a file with records is open somebody waits for changes, or will in a moment. */
export function watch({ mds, opens }: ClientContext): void {
  mds.call('feedWatch', { waiting: opens.waiters.size > 0 }, () => {});
}

export class ControlOpening {
  readonly #context: ClientContext;

  constructor(context: ClientContext) {
    this.#context = context;
  }

  open(fid: Fid, flags: number, caller: Caller, reply: OpenReply): void {
    const node = nodeOfFid(fid);
    if (node === undefined) return reply.error(Errno.ENOENT);
    // The new text of a setting is a whole one anyway; nothing else can be cut.
    if ((flags & O_TRUNC) !== 0 && node.kind !== 'setting' && node.kind !== 'changelog') {
      return reply.error(Errno.EPERM);
    }
    switch (node.kind) {
      case 'stream':
        return this.#openStream(fid, node.id, node.view, reply);
      case 'changelog':
        return this.#openChangelog(fid, node.id, reply);
      case 'baseline':
        return this.#openBaseline(fid, node.id, reply);
      case 'places':
        return this.#openedStream(fid, new PlacesQuery(this.#context.mds), reply);
      case 'watch':
        return this.#openWatch(fid, flags, caller, reply);
      case 'info':
        return this.#openText(fid, node.id, 'info', reply);
      case 'setting':
        return this.#openText(fid, node.id, node.file, reply);
      case 'replica':
        return this.#openReplica(fid, flags, reply);
      case 'stats':
        return this.#context.mds.call('stats', undefined, (errno, server) => {
          if (server === undefined) return reply.error(errno === 0 ? Errno.EIO : errno);
          const stats: Stats = { server, client: this.#context.stats() };
          this.#opened(fid, new TextFile(`${JSON.stringify(stats)}\n`), reply);
        });
      case 'recovery':
        return this.#context.mds.call('recovery', undefined, (errno, status) => {
          if (status === undefined) return reply.error(errno === 0 ? Errno.EIO : errno);
          this.#opened(fid, new TextFile(recoveryText(status)), reply);
        });
      default:
        return reply.error(Errno.EISDIR);
    }
  }

  #openStream(fid: Fid, id: number, view: FeedView, reply: OpenReply): void {
    const { mds, notifier } = this.#context;
    mds.call('feedOpen', { id }, (errno, opened) => {
      if (opened === undefined) return reply.error(errno === 0 ? Errno.EIO : errno);
      const { epoch } = opened;
      this.#opened(fid, new FeedReader({ id, view, epoch }, mds, notifier), reply);
      watch(this.#context);
    });
  }

  #openChangelog(fid: Fid, id: number, reply: OpenReply): void {
    const { mds, notifier } = this.#context;
    mds.call('feedOpen', { id }, (errno, opened) => {
      if (opened === undefined) return reply.error(errno === 0 ? Errno.EIO : errno);
      this.#opened(fid, new ChangelogReader(id, mds, notifier), reply);
      watch(this.#context);
    });
  }

  /** A FIFO: there is nothing to seek in. */
  #openWatch(fid: Fid, flags: number, caller: Caller, reply: OpenReply): void {
    if ((flags & O_ACCMODE) === O_WRONLY) return reply.error(Errno.EINVAL);
    const identify: Identify = (who) => watcher(this.#context, who);
    const opener = identify(caller);
    if (opener === undefined) return reply.error(Errno.EACCES);
    const { mds, notifier } = this.#context;
    mds.call('watchOpen', { who: opener }, (errno, opened) => {
      if (opened === undefined) return reply.error(errno === 0 ? Errno.EIO : errno);
      const open = new WatchReader({ id: opened.id, opener }, mds, notifier, identify);
      this.#openedStream(fid, open, reply);
      watch(this.#context);
    });
  }

  /** Answers when the snapshot is on disk, and in it all that was written before. */
  #openBaseline(fid: Fid, feed: number, reply: OpenReply): void {
    const { files, mds } = this.#context;
    // What is refused becomes a record later, which then follows the snapshot.
    files.recordAll(() => {
      mds.call('baselineOpen', { feed }, (errno, opened) => {
        if (opened === undefined) return reply.error(withoutFeed(errno));
        const open = new BaselineReader(opened.id, mds);
        // The session ended meanwhile: no release will come.
        if (reply.answered) open.close();
        else this.#openedStream(fid, open, reply);
      });
    });
  }

  /** Whoever reads may always look; there is one receiver at a time. */
  #openReplica(fid: Fid, flags: number, reply: OpenReply): void {
    const { mds, replica } = this.#context;
    const writes = (flags & O_ACCMODE) !== 0;
    if (writes && !replica.contents.isAble) return reply.error(Errno.EOPNOTSUPP);
    if (writes && replica.receiving) return reply.error(Errno.EBUSY);
    mds.call('replicaState', undefined, (errno, state) => {
      if (state === undefined) return reply.error(errno === 0 ? Errno.EIO : errno);
      const text = `${JSON.stringify(state)}\n`;
      const open = writes ? new ReplicaWriter(mds, replica, text) : new TextFile(text);
      this.#opened(fid, open, reply);
    });
  }

  #openText(fid: Fid, id: number, file: FeedText, reply: OpenReply): void {
    const { mds } = this.#context;
    mds.call('feedText', { id, file }, (errno, text) => {
      if (text === undefined) return reply.error(withoutFeed(errno));
      const open = file === 'info' ? new TextFile(text) : new SettingFile(mds, id, file, text);
      this.#opened(fid, open, reply);
    });
  }

  #opened(fid: Fid, open: ControlOpen, reply: OpenReply): void {
    const fh = this.#context.opens.add({ kind: 'control', fid, open });
    reply.open({ fh, flags: FOPEN_DIRECT_IO });
  }

  /** What is read like a FIFO: seeking in it is an ESPIPE of the kernel's. */
  #openedStream(fid: Fid, open: ControlOpen, reply: OpenReply): void {
    const fh = this.#context.opens.add({ kind: 'control', fid, open });
    reply.open({ fh, flags: FOPEN_DIRECT_IO | FOPEN_STREAM });
  }
}
