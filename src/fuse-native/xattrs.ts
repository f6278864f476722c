/** Extended attributes, as fuse-native calls them. */
import { Errno } from '../base/errno.js';
import type { FileName } from '../base/name.js';
import { EmptyAnswer, XattrAnswer } from './answers.js';
import type { Callback, NativeOperations } from './binding.js';
import { type Bridge, carried } from './bridge.js';
import { XATTR_BYTES_MAX } from './limits.js';
import { finish, found } from './names.js';

/**
 * Attributes by which the kernel would have to judge, such as POSIX ACLs: with
 * libfuse 2 it does not, so to keep them would be to pretend.
 */
function judged(name: FileName): boolean {
  return name.startsWith('system.');
}

export function xattrOperations(bridge: Bridge): NativeOperations {
  return {
    setxattr: (
      path: string,
      text: string,
      value: Buffer,
      _position: number,
      flags: number,
      done: Callback,
    ) => {
      const name = carried(text);
      if (name === undefined) return done(-Errno.EILSEQ);
      if (judged(name)) return done(-Errno.EOPNOTSUPP);
      const next = (nodeId: number): void => {
        const asked = { nodeId, name, value, flags, killSgid: false };
        bridge.ask('setxattr', asked, new EmptyAnswer(finish(done)));
      };
      bridge.find(path, found(done, next));
    },
    removexattr: (path: string, text: string, done: Callback) => {
      const name = carried(text);
      if (name === undefined) return done(-Errno.EILSEQ);
      if (judged(name)) return done(-Errno.EOPNOTSUPP);
      const next = (nodeId: number): void =>
        bridge.ask('removexattr', { nodeId, name }, new EmptyAnswer(finish(done)));
      bridge.find(path, found(done, next));
    },
    // Only that they are there is looked at: see below for what is called.
    getxattr: () => {},
    listxattr: () => {},
  };
}

/**
 * The two whose own implementation in fuse-native does not know how much room the
 * caller has: it would answer with a count beyond it, and libfuse with what lies behind.
 */
export interface SizedOperations {
  _op_getxattr(done: Callback, path: string, name: string, room: Buffer): void;
  _op_listxattr(done: Callback, path: string, room: Buffer): void;
}

export function sizedXattrOperations(bridge: Bridge): SizedOperations {
  return {
    _op_getxattr: (signal, path, text, room) => {
      const { answer, fill } = into(signal, room);
      const name = carried(text);
      if (name === undefined) return answer(-Errno.EILSEQ);
      if (judged(name)) return answer(-Errno.EOPNOTSUPP);
      const next = (nodeId: number): void =>
        bridge.ask(
          'getxattr',
          { nodeId, name, size: XATTR_BYTES_MAX },
          new XattrAnswer(found(answer, fill)),
        );
      bridge.find(path, found(answer, next));
    },
    _op_listxattr: (signal, path, room) => {
      const { answer, fill } = into(signal, room);
      const next = (nodeId: number): void =>
        bridge.ask(
          'listxattr',
          { nodeId, size: XATTR_BYTES_MAX },
          new XattrAnswer(found(answer, (names) => fill(withoutJudged(names)))),
        );
      bridge.find(path, found(answer, next));
    },
  };
}

/** Answers with bytes by the rules of getxattr(2): into no room goes their number. */
function into(
  signal: Callback,
  room: Buffer,
): { answer: Callback; fill: (bytes: Uint8Array) => void } {
  // The addon takes its memory back with the answer.
  const memory = room.buffer;
  const answer: Callback = (result) => signal(result, memory);
  const fill = (bytes: Uint8Array): void => {
    if (room.length > 0 && bytes.length > room.length) return answer(-Errno.ERANGE);
    if (room.length > 0) room.set(bytes);
    answer(bytes.length);
  };
  return { answer, fill };
}

/** A list of names, each with a zero byte at its end, without those that cannot be had. */
function withoutJudged(names: Uint8Array): Buffer {
  const list = Buffer.from(names).toString('latin1').split('\0').slice(0, -1);
  const shown = list.filter((name) => !judged(name as FileName));
  return Buffer.from(shown.map((name) => `${name}\0`).join(''), 'latin1');
}
