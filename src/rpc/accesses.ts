/** What a client tells of accesses that change nothing, while somebody asks for them. */
import type { Fid } from '../base/fid.js';
import type { Credentials } from './changes.js';

export interface AccessReport {
  /** Of a close: who opened. */
  readonly who: Credentials;
  readonly fid: Fid;
  /** `denied`: an open that was refused. */
  readonly kind: 'open' | 'close' | 'denied' | 'getxattr';
  /** Of open(2); undefined for a getxattr, and where they are not known. */
  readonly flags: number | undefined;
  /** Why it was refused, or 0. */
  readonly errno: number;
  /** Of a getxattr: the attribute. */
  readonly name?: string | undefined;
  readonly directory: boolean;
  /** 0 tells of one access, otherwise of so many equal ones that were not told of. */
  readonly repeated: number;
}

export interface AccessMethods {
  /** ENOSPC: somebody who must not miss it has no room for it, so the access has to fail. */
  access: { request: AccessReport; result: undefined };
}
