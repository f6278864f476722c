/** Short forms for the cases about ACLs. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { ACCESS, aclOf, aclText } from '../support/acl.js';
import { fails, USER } from './case.js';
import * as libc from './libc.js';

/** The entry of a user who is not root. */
export const NAMED = `u:${USER.uid}:rw-`;

export function makeFile(dir: string, mode = 0o640): string {
  const path = join(dir, 'file');
  fs.writeFileSync(path, 'x');
  fs.chmodSync(path, mode);
  return path;
}

/** `name` is one of the two attributes. */
export function setAcl(path: string, name: string, ...entries: readonly string[]): void {
  libc.setxattr(path, name, aclOf(...entries));
}

export function aclAt(path: string, name = ACCESS): string[] {
  return aclText(libc.getxattr(path, name));
}

export function noAcl(path: string, name = ACCESS): void {
  fails('ENODATA', () => libc.getxattr(path, name));
}

/** Which of the two attributes are listed. */
export function listed(path: string): string[] {
  return libc.listxattr(path).filter((name) => name.startsWith('system.'));
}
