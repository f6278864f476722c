/** Comparing two trees from a test, and small trees to compare. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '../../../src/bridges/verify/finding.js';
import { Ignored } from '../../../src/bridges/verify/ignored.js';
import { compareTrees } from '../../../src/bridges/verify/trees.js';
import { ACCESS, aclOf } from '../../support/acl.js';
import { lsetxattr, lutimens, mknod } from '../../support/libc.js';

/** All that is found, or what `each` lets through until it is done. */
export async function findings(
  a: string,
  b: string,
  ignore: readonly string[] = [],
  each: (finding: Finding) => void = () => {},
): Promise<Finding[]> {
  const found: Finding[] = [];
  const progress = { objects: 0, bytes: 0 };
  for await (const finding of compareTrees(a, b, { ignored: new Ignored(ignore), progress })) {
    found.push(finding);
    each(finding);
  }
  return found;
}

/** `path property`, or `path trouble`; of an xattr its name, too. */
export function brief(found: readonly Finding[]): string[] {
  return found.map((finding) => {
    if (finding.kind !== 'difference') return `${finding.path} ${finding.kind}`;
    const { path, property, xattr } = finding;
    return [path, property, ...(xattr === undefined ? [] : [xattr])].join(' ');
  });
}

const S_IFCHR = 0o020000;
const S_IFIFO = 0o010000;
const TIME = 1_234_567_890_123_456_789n;
const LARGE_BYTES = 2_500_000;

export function setXattr(path: string, name: string, value: string | Uint8Array): void {
  lsetxattr(Buffer.from(path), Buffer.from(name), Buffer.from(value), 0);
}

/** One of each kind below the new directory `root`, always the same. Needs root, for devices. */
export function makeSmallTree(root: string): void {
  for (const directory of ['', 'd', 'd/empty', 'e']) fs.mkdirSync(join(root, directory));
  for (const file of ['d/file', 'e/other', 'single']) {
    fs.writeFileSync(join(root, file), `contents of ${file}`);
  }
  fs.copyFileSync(join(root, 'e/other'), join(root, 'e/third'));
  fs.writeFileSync(join(root, 'large'), Buffer.alloc(LARGE_BYTES, 'large'));
  fs.writeFileSync(join(root, 'nothing'), '');
  fs.linkSync(join(root, 'd/file'), join(root, 'd/linked'));
  fs.linkSync(join(root, 'd/file'), join(root, 'e/linked'));
  fs.linkSync(join(root, 'e/other'), join(root, 'e/other-linked'));
  fs.symlinkSync('target', join(root, 'symlink'));
  fs.symlinkSync('d', join(root, 'symlink-to-directory'));
  mknod(Buffer.from(join(root, 'device')), S_IFCHR | 0o600, 0x0103);
  mknod(Buffer.from(join(root, 'fifo')), S_IFIFO | 0o600, 0);
  for (const path of ['single', 'd']) {
    setXattr(join(root, path), 'user.small', 'value');
    setXattr(join(root, path), 'trusted.other', Buffer.alloc(3000, 7));
  }
  setXattr(join(root, 'single'), ACCESS, aclOf('u::rw-', 'u:7:r--', 'g::r--', 'm::r--', 'o::---'));
  setTimes(root);
}

/** The same mtime for all that is there. */
export function setTimes(root: string): void {
  for (const name of fs.readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    lutimens(Buffer.from(join(root, name)), TIME, TIME);
  }
  lutimens(Buffer.from(root), TIME, TIME);
}
