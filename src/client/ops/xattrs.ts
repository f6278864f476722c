/** Extended attributes of ordinary objects, and what concerns the whole filesystem. */
import { Errno } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import { type FileName, NAME_BYTES_MAX } from '../../base/name.js';
import { CAPABILITY, isAclName } from '../../base/xattr-name.js';
import type { Handlers } from '../../fuse/api.js';
import { type ClientContext, fidOf, who } from '../context.js';
import { sealWrites } from '../seal.js';
import { syncAll } from '../sync-all.js';
import { finish } from './namespace.js';
import { mayTakePrivileges } from './set-id.js';

type XattrHandlers = Required<
  Pick<Handlers, 'setxattr' | 'getxattr' | 'listxattr' | 'removexattr' | 'statfs' | 'syncfs'>
>;

/** The namespaces that are kept; the kernel checks who may use each (xattr(7)). */
const NAMESPACES = ['user.', 'trusted.', 'security.'];

/** Why there can be no such attribute, if there cannot. A namespace alone is no name. */
function refusal(name: FileName): Errno | undefined {
  if (isAclName(name)) return undefined;
  const namespace = NAMESPACES.find((one) => name.startsWith(one));
  if (namespace === undefined) return Errno.EOPNOTSUPP;
  return name === namespace ? Errno.EINVAL : undefined;
}

/** The kernel forgets an object's attributes together with its list. */
function aclChanged({ accesses }: ClientContext, fid: Fid, name: FileName): void {
  if (isAclName(name)) accesses.denied.forgets(fid);
}

export function xattrOperations(context: ClientContext): XattrHandlers {
  const { mds, files, accesses, coherence } = context;
  return {
    setxattr: ({ nodeId, name, value, flags, killSgid, caller }, reply) => {
      const refused = refusal(name);
      if (refused !== undefined) return reply.error(refused);
      const fid = fidOf(nodeId);
      // Written data come first: who repeats the records would lose it to a later write.
      const file = name === CAPABILITY ? files.find(fid) : undefined;
      if (file !== undefined) file.hasNoCapability = false;
      if (file?.dirty === true) files.record(file);
      if (isAclName(name)) sealWrites(context);
      const asked = { op: 'setxattr', fid, name, value, flags, killSgid } as const;
      mds.call('reint', { who: who(context, caller), change: asked }, (errno) => {
        aclChanged(context, fid, name);
        finish(errno, reply);
      });
    },
    removexattr: ({ nodeId, name, caller }, reply) => {
      const refused = refusal(name);
      if (refused !== undefined) return reply.error(refused);
      const fid = fidOf(nodeId);
      const remove = (): void => {
        if (isAclName(name)) sealWrites(context);
        const asked = { op: 'removexattr', fid, name } as const;
        mds.call('reint', { who: who(context, caller), change: asked }, (errno) => {
          aclChanged(context, fid, name);
          // An object without an ACL is what was asked for.
          finish(errno === Errno.ENODATA && isAclName(name) ? 0 : errno, reply);
        });
      };
      if (name !== CAPABILITY) return remove();
      mayTakePrivileges(context, fid, caller, 'capability', (may) => {
        if (may) remove();
        else reply.error(Errno.EPERM);
      });
    },
    getxattr: ({ nodeId, name, size, caller }, reply) => {
      const refused = refusal(name);
      if (refused !== undefined) return reply.error(refused);
      const fid = fidOf(nodeId);
      if (name === CAPABILITY && coherence.hasNoCapability(fid)) return reply.error(Errno.ENODATA);
      mds.call('getxattr', { fid, name }, (errno, value) => {
        if (value === undefined) return reply.error(errno === 0 ? Errno.EIO : errno);
        // Asked for no more than the length, or with too little room: no value is handed out.
        if (size < value.length || size === 0 || !accesses.active) return reply.value(value);
        const kept = Uint8Array.from(value);
        accesses.getxattr(fid, name, caller, (refused) => {
          if (refused === 0) reply.value(kept);
          else reply.error(refused);
        });
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
    syncfs: (_request, reply) => syncAll(context, (errno) => finish(errno, reply)),
  };
}
