/** Changing attributes: what setattr asks for, and what a write takes with it. */
import { Errno } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import type { AttrReply, SetattrRequest } from '../../fuse/api.js';
import type { Answer, AttributeChange, Credentials } from '../../rpc/messages.js';
import { toAttr } from '../attr.js';
import { type ClientContext, fidOf, who } from '../context.js';
import { sealWrites } from '../seal.js';
import { attributesMs } from '../validity.js';
import { answerAttr } from './namespace.js';
import { mayTakePrivileges, modeWithoutGroupBit } from './set-id.js';

/** Anything but the size. Written data come first: the times are newer than the write's. */
export function changeAttributes(
  context: ClientContext,
  fid: Fid,
  credentials: Credentials,
  change: AttributeChange,
  done: Answer<'getattr'>,
): void {
  const { mds, files } = context;
  const { mode, uid, gid } = change;
  if (mode !== undefined || uid !== undefined || gid !== undefined) sealWrites(context);
  const file = files.find(fid);
  if (file !== undefined) file.accessed = false;
  if (file?.dirty === true) files.record(file);
  const asked = { who: credentials, change: { op: 'setattr', fid, change } } as const;
  mds.call('reint', asked, (errno, result) => done(errno, result?.attributes));
}

export function setattr(context: ClientContext, request: SetattrRequest, reply: AttrReply): void {
  const { nodeId, caller, uid, gid, size, atime, mtime } = request;
  const credentials = who(context, caller);
  const fid = fidOf(nodeId);
  // Asked for nothing: a chown that keeps both owners, or fallocate. Set-id bits go.
  const nothing = [request.mode, uid, gid, size, atime, mtime].every((one) => one === undefined);
  const killSuidgid = request.killSuidgid || nothing;
  const withMode = (mode: number | undefined): void => {
    const change = { mode, uid, gid, atime, mtime, killSuidgid };
    makeChange(context, fid, credentials, size, change, reply);
  };
  const allowed = (): void => {
    const { mode } = request;
    if (!killSuidgid || mode !== undefined) withMode(mode);
    else modeWithoutGroupBit(context, fid, caller, withMode);
  };
  if (!nothing) return allowed();
  mayTakePrivileges(context, fid, caller, 'set-id bits', (may) => {
    if (may) allowed();
    else reply.error(Errno.EPERM);
  });
}

function makeChange(
  context: ClientContext,
  fid: Fid,
  credentials: Credentials,
  size: number | undefined,
  change: AttributeChange,
  reply: AttrReply,
): void {
  const { mds, files } = context;
  if (size !== undefined) {
    mds.call('getattr', { fid }, (errno, attributes) => {
      if (attributes === undefined) return reply.error(errno === 0 ? Errno.EIO : errno);
      const file = files.acquire(attributes);
      files.setSize(file, credentials, { ...change, size }, (failed, changed) => {
        if (changed === undefined) reply.error(failed === 0 ? Errno.EIO : failed);
        else reply.attr(toAttr(changed), attributesMs(context, changed));
        files.release(file);
      });
    });
    return;
  }
  changeAttributes(context, fid, credentials, change, answerAttr(context, reply));
}
