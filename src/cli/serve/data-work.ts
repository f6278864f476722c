/** One request for file contents after the other: what it asks for is recorded and on disk when it is answered. */
import { Errno } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import type { FileIo } from '../../client/file-io.js';
import type { FileState } from '../../client/file-state.js';
import type { Changed } from '../../client/files.js';
import { FILE_BYTES_MAX } from '../../rpc/limits.js';
import type { Answer, Connection, DataMethods, RequestOf } from '../../rpc/messages.js';

type DataMethod = keyof DataMethods;
type Done = (errno: Errno | 0) => void;
type DoMethods = {
  readonly [M in DataMethod]: (request: RequestOf<M>, answer: Answer<M>) => void;
};

export class DataWork {
  readonly #mds: Connection;
  readonly #files: FileIo;
  readonly #methods: DoMethods = {
    dataRead: (request, answer) => this.#read(request, answer),
    dataWrite: (request, answer) => this.#write(request, answer),
    dataSpace: (request, answer) => this.#space(request, answer),
    dataSeek: (request, answer) => this.#seek(request, answer),
  };

  constructor(mds: Connection, files: FileIo) {
    this.#mds = mds;
    this.#files = files;
  }

  do<M extends DataMethod>(method: M, request: RequestOf<M>, answer: Answer<M>): void {
    this.#methods[method](request, answer);
  }

  #read({ fid, offset, length }: RequestOf<'dataRead'>, answer: Answer<'dataRead'>): void {
    this.#use(fid, answer, (file, end) => {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, file.size - offset)));
      this.#files.read(
        file,
        offset,
        bytes.byteLength,
        () => bytes,
        (errno, count) => {
          end();
          if (errno === 0) answer(0, bytes.subarray(0, count));
          else answer(errno, undefined);
        },
      );
    });
  }

  #write(request: RequestOf<'dataWrite'>, answer: Answer<'dataWrite'>): void {
    const { fid, bytes, who, killSuidgid, append } = request;
    this.#use(fid, answer, (file, end) => {
      const author = { who, killSuidgid };
      const done: Changed = (errno, count) => {
        if (errno === 0 || count > 0) {
          return this.#settle(file, end, (failed) =>
            answer(failed, failed === 0 ? { count } : undefined),
          );
        }
        end();
        answer(errno, undefined);
      };
      if (append) this.#files.append(file, bytes, author, done);
      else this.#files.write(file, request.offset, bytes, author, done);
    });
  }

  #space(request: RequestOf<'dataSpace'>, answer: Answer<'dataSpace'>): void {
    const { fid, offset, length, what, keepSize, who, killSuidgid } = request;
    if (offset + length > FILE_BYTES_MAX) return answer(Errno.EFBIG, undefined);
    this.#use(fid, answer, (file, end) => {
      const range = { offset, length };
      const author = { who, killSuidgid };
      const done: Done = (errno) => {
        if (errno === 0) return this.#settle(file, end, (failed) => answer(failed, undefined));
        end();
        answer(errno, undefined);
      };
      if (what === 'punch') this.#files.punch(file, range, author, done);
      else if (what === 'zero') this.#files.zero(file, range, keepSize, author, done);
      else this.#files.allocate(file, range, keepSize, author, done);
    });
  }

  #seek({ fid, offset, what }: RequestOf<'dataSeek'>, answer: Answer<'dataSeek'>): void {
    this.#use(fid, answer, (file, end) => {
      this.#files.seek(file, offset, what, (errno, found) => {
        end();
        if (errno === 0) answer(0, found);
        else answer(errno, undefined);
      });
    });
  }

  /** Begins a use of the file as it is now. */
  #use(
    fid: Fid,
    answer: (errno: Errno, result: undefined) => void,
    work: (file: FileState, end: () => void) => void,
  ): void {
    this.#mds.call('contents', { fid }, (errno, opened) => {
      if (opened === undefined) return answer(errno === 0 ? Errno.EIO : errno, undefined);
      const file = this.#files.acquire(opened.attributes, opened.contents);
      file.writers++;
      work(file, () => {
        this.#files.closeWriter(file);
        this.#files.release(file);
      });
    });
  }

  /** What was put in its place is recorded, and then on disk. */
  #settle(file: FileState, end: () => void, done: Done): void {
    this.#files.record(file, (errno) => {
      end();
      if (errno !== 0) return done(errno);
      this.#mds.call('sync', undefined, (failed) => done(failed));
    });
  }
}
