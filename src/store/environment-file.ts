/**
 * A look at LMDB's file before LMDB maps it: a cut or foreign file would end the
 * process with SIGBUS at the first page that is not there.
 */
import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { StoreError } from './errors.js';

const MAGIC = 0xbeef_c0de;
/** Offsets in a meta page: behind the 24-byte page header of LMDB's data version 2. */
const MAGIC_AT = 24;
const PAGE_SIZE_AT = 48;
const LAST_PAGE_AT = 144;
const META_BYTES = 160;

/**
 * Pages at the end of the file that LMDB may have allocated and freed without
 * ever writing them; a file that lacks more was cut.
 */
const UNWRITTEN_PAGES_MAX = 256;

/** Throws StoreError('corrupt') if the file is cut short or is not LMDB's. */
export function checkEnvironmentFile(path: string): void {
  if (!existsSync(path)) return;
  const fd = openSync(path, 'r+');
  try {
    const { size } = fstatSync(fd);
    if (size === 0) return;
    const head = Buffer.alloc(META_BYTES);
    readSync(fd, head, 0, META_BYTES, 0);
    const pageBytes = head.readUInt32LE(PAGE_SIZE_AT);
    if (head.readUInt32LE(MAGIC_AT) !== MAGIC || pageBytes < 512 || size < 2 * pageBytes) {
      throw new StoreError('corrupt', `${path} is not an LMDB file; restore it from a backup`);
    }
    const second = Buffer.alloc(META_BYTES);
    readSync(fd, second, 0, META_BYTES, pageBytes);
    const lastPage = Math.max(lastPageOf(head), lastPageOf(second));
    const wanted = (lastPage + 1) * pageBytes;
    if (size >= wanted) return;
    if (wanted - size > UNWRITTEN_PAGES_MAX * pageBytes) {
      throw new StoreError(
        'corrupt',
        `${path} is cut short: ${size} of ${wanted} bytes; restore it from a backup`,
      );
    }
    ftruncateSync(fd, wanted);
  } finally {
    closeSync(fd);
  }
}

function lastPageOf(meta: Buffer): number {
  if (meta.readUInt32LE(MAGIC_AT) !== MAGIC) return 0;
  return Number(meta.readBigUInt64LE(LAST_PAGE_AT));
}
