/** What a corpus consists of: system calls with their arguments, as data. */

/** Below the directory of the corpus; bytes as a binary string. */
export type Path = string;
/** Number of a descriptor that is kept. */
export type Slot = number;

export interface Time {
  readonly sec: number;
  /** Or UTIME_NOW or UTIME_OMIT. */
  readonly nsec: number;
}

export type Operation = { readonly user: boolean } & (
  | {
      /** Opens, writes, reads, closes; or keeps the descriptor in a slot. */
      readonly call: 'open';
      readonly path: Path;
      readonly flags: number;
      readonly mode: number;
      readonly umask: number;
      readonly bytes: number;
      readonly slot: Slot | undefined;
    }
  | { readonly call: 'close' | 'fstat' | 'fsync'; readonly slot: Slot }
  | {
      readonly call: 'pread' | 'pwrite';
      readonly slot: Slot;
      readonly offset: number;
      readonly length: number;
    }
  | { readonly call: 'ftruncate'; readonly slot: Slot; readonly size: number }
  | { readonly call: 'fchmod'; readonly slot: Slot; readonly mode: number }
  | { readonly call: 'fchown'; readonly slot: Slot; readonly uid: number; readonly gid: number }
  | {
      readonly call: 'fallocate';
      readonly slot: Slot;
      readonly mode: number;
      readonly offset: number;
      readonly length: number;
    }
  | {
      readonly call: 'mkdir' | 'tmpfile';
      readonly path: Path;
      readonly mode: number;
      readonly umask: number;
    }
  | {
      readonly call: 'mknod';
      readonly path: Path;
      readonly mode: number;
      readonly device: readonly [number, number];
      readonly umask: number;
    }
  | { readonly call: 'symlink'; readonly path: Path; readonly target: string }
  | { readonly call: 'link'; readonly path: Path; readonly to: Path }
  | {
      readonly call: 'unlink' | 'rmdir' | 'readdir' | 'readlink' | 'statfs';
      readonly path: Path;
    }
  | { readonly call: 'rename'; readonly path: Path; readonly to: Path; readonly flags: number }
  | { readonly call: 'chmod'; readonly path: Path; readonly mode: number }
  | { readonly call: 'access'; readonly path: Path; readonly mode: number }
  | {
      readonly call: 'chown';
      readonly path: Path;
      readonly uid: number;
      readonly gid: number;
      readonly follow: boolean;
    }
  | { readonly call: 'truncate'; readonly path: Path; readonly size: number }
  | {
      readonly call: 'utimens';
      readonly path: Path;
      readonly atime: Time;
      readonly mtime: Time;
      readonly follow: boolean;
    }
  | {
      readonly call: 'setxattr';
      readonly path: Path;
      readonly name: string;
      readonly bytes: number;
      readonly flags: number;
    }
  | {
      readonly call: 'getxattr';
      readonly path: Path;
      readonly name: string;
      readonly room: number;
    }
  | { readonly call: 'listxattr'; readonly path: Path; readonly room: number }
  | { readonly call: 'removexattr'; readonly path: Path; readonly name: string }
);

/** The operation on one line, with what is long by its length. */
export function describe(operation: Operation): string {
  const text = JSON.stringify(operation, (_key, value: unknown) =>
    typeof value === 'string' ? shorten(value) : value,
  );
  return text.replace(/"(\w+)":/g, '$1:');
}

function shorten(text: string): string {
  return text
    .replace(/([^/])\1{30,}/g, (run: string, one: string) => `${one}*${run.length}`)
    .replace(/(\.\/){30,}/g, (run) => `./*${run.length / 2}`);
}
