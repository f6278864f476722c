/**
 * A file of text in the control tree: what it said when it was opened, and, where it is a
 * setting, what it is to say. One write is the whole new text; it is taken or refused as one.
 */
import { Errno } from '../../base/errno.js';
import type { InterruptibleDataReply, WriteReply } from '../../fuse/api.js';
import type { Connection, FeedSetting } from '../../rpc/messages.js';
import type { ControlOpen } from './open.js';

export class TextFile implements ControlOpen {
  readonly #bytes: Uint8Array;

  constructor(text: string) {
    this.#bytes = Buffer.from(text);
  }

  read(offset: number, size: number, _flags: number, reply: InterruptibleDataReply): void {
    reply.data(this.#bytes.subarray(offset, offset + size));
  }
}

/** `filter` or `policy` of a feed. */
export class SettingFile extends TextFile {
  readonly #mds: Connection;
  readonly #id: number;
  readonly #file: FeedSetting;

  constructor(mds: Connection, id: number, file: FeedSetting, text: string) {
    super(text);
    this.#mds = mds;
    this.#id = id;
    this.#file = file;
  }

  /** Answers when the setting is on disk. What is too long the server refuses, for it can say why. */
  write(offset: number, data: Uint8Array, reply: WriteReply): void {
    if (offset !== 0) return reply.error(Errno.EINVAL);
    const text = Buffer.from(data).toString('utf8');
    this.#mds.call('feedSetText', { id: this.#id, file: this.#file, text }, (errno) => {
      if (errno === 0) reply.written(data.length);
      else reply.error(errno);
    });
  }
}
