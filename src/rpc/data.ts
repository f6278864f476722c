/**
 * File contents, for a client that cannot reach the object files: the server reads and
 * writes them. A change is recorded and on disk when it is answered.
 */
import type { Fid } from '../base/fid.js';
import type { Credentials } from './changes.js';

/** Whose change it is, and whether that clears set-id bits. */
export interface DataAuthor {
  readonly who: Credentials;
  readonly killSuidgid: boolean;
}

export interface DataMethods {
  /** At most DATA_BYTES_MAX; fewer than asked for only at the end of the file. */
  dataRead: { request: { fid: Fid; offset: number; length: number }; result: Uint8Array };
  dataWrite: {
    /** `append`: at the end, wherever that is by then; `offset` does not count. */
    request: DataAuthor & { fid: Fid; offset: number; append: boolean; bytes: Uint8Array };
    result: { count: number };
  };
  dataSpace: {
    request: DataAuthor & {
      fid: Fid;
      offset: number;
      length: number;
      what: 'punch' | 'zero' | 'allocate';
      keepSize: boolean;
    };
    result: undefined;
  };
  dataSeek: { request: { fid: Fid; offset: number; what: 'data' | 'hole' }; result: number };
}
