/** What a client asks of the metadata server that changes nothing. */
import { Errno } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import { isSymlink } from '../base/mode.js';
import { NAME_BYTES_MAX } from '../base/name.js';
import type { Service } from '../rpc/messages.js';
import type { Store } from '../store/store.js';
import { type DiskUse, filesystemUse } from './filesystem-use.js';
import type { Namespace } from './namespace.js';

export type QueryMethod =
  | 'lookup'
  | 'getattr'
  | 'readlink'
  | 'readdir'
  | 'parent'
  | 'getxattr'
  | 'listxattr'
  | 'statfs';

/** `diskUse` tells of the disk that holds the store. */
export function queryMethods(
  namespace: Namespace,
  store: Store,
  diskUse: () => DiskUse,
): Pick<Service, QueryMethod> {
  return {
    lookup: ({ parent, name }, answer) => {
      namespace.directory(parent);
      // The kernel passes on names of up to 1024 bytes.
      if (name.length > NAME_BYTES_MAX) return answer(Errno.ENAMETOOLONG, undefined);
      const dirent = namespace.dirents.lookup(parent, name);
      if (dirent === undefined) answer(Errno.ENOENT, undefined);
      else answer(0, namespace.inode(dirent.fid as Fid));
    },
    getattr: ({ fid }, answer) => answer(0, namespace.inode(fid)),
    readlink: ({ fid }, answer) => {
      const inode = namespace.inode(fid);
      if (isSymlink(inode.mode)) answer(0, inode.target);
      else answer(Errno.EINVAL, undefined);
    },
    readdir: ({ fid, cookie, attributes, each }, answer) => {
      const { entries } = namespace.directory(fid);
      for (const dirent of namespace.dirents.list(fid, cookie, entries)) {
        const inode = attributes ? namespace.inodes.get(dirent.fid as Fid) : undefined;
        const more = each({
          name: dirent.name,
          fid: dirent.fid as Fid,
          type: dirent.type,
          cookie: dirent.slot,
          attributes: inode,
        });
        if (!more) break;
      }
      answer(0, undefined);
    },
    parent: ({ fid }, answer) => answer(0, namespace.directory(fid).parent as Fid),
    getxattr: ({ fid, name }, answer) => {
      const inode = namespace.inode(fid);
      const value = inode.hasXattrs ? namespace.xattrs.get(fid, name) : undefined;
      if (value === undefined) answer(Errno.ENODATA, undefined);
      else answer(0, value);
    },
    listxattr: ({ fid }, answer) => {
      const inode = namespace.inode(fid);
      answer(0, inode.hasXattrs ? namespace.xattrs.names(fid) : []);
    },
    statfs: (_request, answer) => {
      answer(0, filesystemUse(store, diskUse(), namespace.inodeCount));
    },
  };
}
