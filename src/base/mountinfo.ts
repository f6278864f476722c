/** What /proc/self/mountinfo says (proc(5)), decoded. Pure. */

export interface MountEntry {
  readonly mountpoint: string;
  readonly type: string;
  /** feedfs mounts name their store here. */
  readonly source: string;
  /** As stat(2) has it. */
  readonly device: number;
  /** What of the filesystem is mounted there: `/` unless it is a part. */
  readonly root: string;
}

/** Of feedfs in lists of mounts. */
export const FEEDFS_TYPE = 'fuse.feedfs';

/** Spaces and the like are octal there. Lines that say something else are left out. */
export function parseMountinfo(content: string): MountEntry[] {
  const mounts: MountEntry[] = [];
  for (const line of content.split('\n')) {
    const fields = line.split(' ');
    const [, , device, root, mountpoint] = fields;
    const separator = fields.indexOf('-', 6);
    const type = fields[separator + 1];
    const source = fields[separator + 2];
    if (separator < 0 || device === undefined || root === undefined) continue;
    if (mountpoint === undefined || type === undefined || source === undefined) continue;
    mounts.push({
      mountpoint: unescapeOctal(mountpoint),
      type,
      source: unescapeOctal(source),
      device: deviceNumber(device),
      root: unescapeOctal(root),
    });
  }
  return mounts;
}

/** Bytes as `\040`; what they spell is UTF-8. */
function unescapeOctal(text: string): string {
  if (!text.includes('\\')) return text;
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  const plain = bytes.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return Buffer.from(plain, 'latin1').toString('utf8');
}

/** Of `major:minor`, as makedev(3) of glibc puts them together: major bits 8-19 and from 44 on. */
function deviceNumber(text: string): number {
  const [major = 0, minor = 0] = text.split(':').map(Number);
  const low = (minor % 2 ** 8) + (major % 2 ** 12) * 2 ** 8;
  return low + Math.floor(minor / 2 ** 8) * 2 ** 20 + Math.floor(major / 2 ** 12) * 2 ** 44;
}
