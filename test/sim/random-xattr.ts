/** Extended attributes for the crash simulation: any bytes, or an ACL. */
import { type FileName, nameFromText } from '../../src/base/name.js';
import { ACCESS, aclOf, DEFAULT } from '../support/acl.js';
import type { Random } from '../support/random.js';

const OPAQUE = ['user.a', 'user.b', 'user.c', 'user.d', 'user.e'];
const LISTS = [ACCESS, DEFAULT];
/** The last two say no more than a mode does. */
const ACLS = [
  aclOf('u::rwx', 'u:7:rw-', 'g::r-x', 'm::rwx', 'o::r--'),
  aclOf('u::rw-', 'g::r-x', 'g:8:rwx', 'm::r--', 'o::---'),
  aclOf('u::rwx', 'g::r-x', 'o::---'),
  aclOf('u::rw-', 'g::rwx', 'o::--x'),
];

export function randomXattr(random: Random): { name: FileName; value: Uint8Array } {
  const acl = random.chance(50);
  const name = nameFromText(random.pick(acl ? LISTS : OPAQUE) ?? ACCESS);
  const opaque = new Uint8Array(random.below(200)).fill(7);
  return { name, value: (acl ? random.pick(ACLS) : undefined) ?? opaque };
}
