/** A line of `stream.ndjson` as the filesystem writes it, for tests of its readers. */
const BASE = {
  transno: '7',
  time: '1700000000123456789',
  op: 'create',
  fid: '[0x200000401:0x2:0x0]',
  parent: '[0x200000007:0x1:0x0]',
  name: 'file',
  attrs: { mode: '0100644', uid: 0, gid: 0, size: '0', nlink: 1 },
  uid: 0,
  gid: 0,
  pid: 42,
  nid: '0@lo',
  jobid: 'cp.0',
};

/** Bytes of the log that a record of these tests takes. */
export const RECORD_BYTES = 200;

export function recordLine(index: number, members: Readonly<Record<string, unknown>>): string {
  const offset = String((index - 1) * RECORD_BYTES);
  return JSON.stringify({ index: String(index), offset, ...BASE, ...members });
}
