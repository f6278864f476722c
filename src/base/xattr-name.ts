/** Names of extended attributes that mean something to the filesystem itself, see xattr(7). */

/** Who may do what with an object, beyond its mode (acl(5)). */
export const ACCESS_ACL = 'system.posix_acl_access';

/** Of a directory: what is made in it begins with. */
export const DEFAULT_ACL = 'system.posix_acl_default';

/** What a program may do when it runs (capabilities(7)); no longer once the file is changed. */
export const CAPABILITY = 'security.capability';

export function isAclName(name: string): boolean {
  return name === ACCESS_ACL || name === DEFAULT_ACL;
}
