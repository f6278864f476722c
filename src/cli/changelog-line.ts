/** One record of the Lustre view as `lfs changelog` prints it, field for field. */
import { nameToBytes, nameToText } from '../base/name.js';
import type { Timespec } from '../base/time.js';
import type { ChangelogRecord } from '../feed/encodings/changelog-decode.js';
import { formatNid } from '../feed/encodings/changelog-nid.js';
import { formatName } from './format.js';

/** By type number, those that feedfs never makes included: the numbers are Lustre's. */
const TYPE_NAMES = [
  ...['MARK', 'CREAT', 'MKDIR', 'HLINK', 'SLINK', 'MKNOD', 'UNLNK', 'RMDIR', 'RENME', 'RNMTO'],
  ...['OPEN', 'CLOSE', 'LYOUT', 'TRUNC', 'SATTR', 'XATTR', 'HSM', 'MTIME', 'CTIME', 'ATIME'],
  ...['MIGRT', 'FLRW', 'RESYNC', 'GXATR', 'NOPEN'],
];
const TYPE_COLUMNS = 5;

/**
 * Without a newline. What would harm a terminal stands as `\xNN`; otherwise names are as
 * they are, blanks included, as Lustre prints them.
 */
export function formatChangelog(record: ChangelogRecord): string {
  const { index, type, time, flags, target, parent, name, source } = record;
  const kind = `${type}`.padStart(2, '0') + (TYPE_NAMES[type] ?? '').padEnd(TYPE_COLUMNS);
  const fields = [`${index}`, kind, formatUtc(time), `0x${flags.toString(16)}`, `t=${target}`];
  fields.push(...authorFields(record), ...accessFields(record));
  if (parent !== undefined) fields.push(`p=${parent}`);
  if (name !== '') fields.push(formatBytes(name));
  if (source !== undefined) {
    fields.push(`s=${source.fid}`, `sp=${source.parent}`, formatBytes(source.name));
  }
  return fields.join(' ');
}

function authorFields({ jobid, extra, owner, nid }: ChangelogRecord): string[] {
  const fields: string[] = [];
  if (jobid !== undefined) fields.push(`j=${formatBytes(jobid)}`);
  if (extra !== undefined) fields.push(`ef=0x${extra.toString(16)}`);
  if (owner !== undefined) fields.push(`u=${owner.uid}:${owner.gid}`);
  if (nid !== undefined) fields.push(`nid=${formatNid(nid)}`);
  return fields;
}

const READ = 0x1;
const WRITE = 0x2;
const EXEC = 0x4;

function accessFields({ openFlags, xattr }: ChangelogRecord): string[] {
  const fields: string[] = [];
  if (openFlags !== undefined && (openFlags & (READ | WRITE | EXEC)) !== 0) {
    const read = (openFlags & READ) === 0 ? '-' : 'r';
    const write = (openFlags & WRITE) === 0 ? '-' : 'w';
    fields.push((openFlags & EXEC) === 0 ? `m=${read}${write}-` : 'm=--x');
  }
  if (xattr !== undefined) fields.push(`x=${formatBytes(xattr)}`);
  return fields;
}

/** `10:00:01.000000005 2026.01.02`, in UTC. */
function formatUtc({ sec, nsec }: Timespec): string {
  const iso = new Date(sec * 1000).toISOString();
  const at = iso.indexOf('T');
  const day = iso.slice(0, at).replaceAll('-', '.');
  return `${iso.slice(at + 1, at + 9)}.${`${nsec}`.padStart(9, '0')} ${day}`;
}

function formatBytes(text: string): string {
  return formatName(nameToText(text) ?? nameToBytes(text));
}
