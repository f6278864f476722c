/** Extended attributes of ordinary objects, and what concerns the whole filesystem. */
import { Errno } from '../../base/errno.js';
import { type FileName, NAME_BYTES_MAX } from '../../base/name.js';
import type { Handlers } from '../../fuse/api.js';
import { type ClientContext, fidOf, who } from '../context.js';
import { finish } from './namespace.js';

type XattrHandlers = Required<
  Pick<Handlers, 'setxattr' | 'getxattr' | 'listxattr' | 'removexattr' | 'statfs' | 'syncfs'>
>;

/** The namespaces that are kept; the kernel checks who may use each (xattr(7)). */
const NAMESPACES = ['user.', 'trusted.', 'security.'];

function supported(name: FileName): boolean {
  return NAMESPACES.some((namespace) => name.startsWith(namespace));
}

export function xattrOperations(context: ClientContext): XattrHandlers {
  const { mds, files } = context;
  return {
    setxattr: ({ nodeId, name, value, flags, caller }, reply) => {
      if (!supported(name)) return reply.error(Errno.EOPNOTSUPP);
      const asked = { op: 'setxattr', fid: fidOf(nodeId), name, value, flags } as const;
      mds.call('reint', { who: who(context, caller), change: asked }, (errno) =>
        finish(errno, reply),
      );
    },
    removexattr: ({ nodeId, name, caller }, reply) => {
      if (!supported(name)) return reply.error(Errno.EOPNOTSUPP);
      const asked = { op: 'removexattr', fid: fidOf(nodeId), name } as const;
      mds.call('reint', { who: who(context, caller), change: asked }, (errno) =>
        finish(errno, reply),
      );
    },
    getxattr: ({ nodeId, name }, reply) => {
      if (!supported(name)) return reply.error(Errno.EOPNOTSUPP);
      mds.call('getxattr', { fid: fidOf(nodeId), name }, (errno, value) => {
        if (value === undefined) reply.error(errno === 0 ? Errno.EIO : errno);
        else reply.value(value);
      });
    },
    listxattr: ({ nodeId, caller }, reply) => {
      mds.call('listxattr', { fid: fidOf(nodeId) }, (errno, names) => {
        if (names === undefined) return reply.error(errno === 0 ? Errno.EIO : errno);
        // As xattr(7) says of trusted attributes: who may not read them does not see them.
        const shown = names.filter((name) => caller.uid === 0 || !name.startsWith('trusted.'));
        reply.value(Buffer.from(shown.map((name) => `${name}\0`).join(''), 'latin1'));
      });
    },
    statfs: (_request, reply) => {
      mds.call('statfs', undefined, (errno, use) => {
        if (use === undefined) reply.error(errno === 0 ? Errno.EIO : errno);
        else reply.statfs({ ...use, namelen: NAME_BYTES_MAX, frsize: use.bsize });
      });
    },
    syncfs: (_request, reply) => {
      files.recordAll();
      mds.call('sync', undefined, (errno) => finish(errno, reply));
    },
  };
}
