/** What the processes that serve are told, and what they are to whoever started them. */
import type { AccessPolicy } from '../../client/access-times.js';
import type { OpenRecovery } from '../../rpc/session.js';
import type { Address } from '../../rpc/socket/address.js';
import type { MetricsAddress } from '../metrics-address.js';
import type { Driver } from '../mount-options.js';

/** Of a mount, wherever its server is. */
export interface MountSettings {
  readonly mountpoint: string;
  /** Undefined: 50 where there is more than one core. */
  readonly busyPollUs: number | undefined;
  readonly readOnly: boolean;
  readonly allowOther: boolean | undefined;
  readonly kernelOptions: readonly string[];
  readonly driver: Driver;
  readonly accessTimes: AccessPolicy;
  readonly metrics: MetricsAddress | undefined;
}

/** Of a server, whoever its clients are. */
export interface StoreSettings {
  readonly store: string;
  readonly visibility: 'disk' | 'commit';
  readonly userWatch: boolean;
  /** Told how many objects of a store of an older format are upgraded, for each. */
  readonly onUpgrade: (done: number) => void;
}

/** Files of a certificate, its key, and the authority that the other side's must be from. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** A mount that is its own server. */
export type EmbeddedOptions = MountSettings & StoreSettings;

/** A mount whose server is another process. */
export interface RemoteOptions extends MountSettings {
  readonly address: Address;
  /** What mount(8) shows; the address, if not given. */
  readonly source?: string;
  readonly tls: TlsFiles | undefined;
  readonly opens: OpenRecovery;
  /** Read and write file data through the server, although their files could be reached. */
  readonly throughServer: boolean;
  /** The server is not there, or not ready: told now and then while the mount waits. */
  readonly onWaiting: (why: string) => void;
  /** For the log of the mount. */
  readonly log: (line: string) => void;
}

export interface Served {
  /** The mount is gone and the store is closed. */
  readonly ended: Promise<void>;
  unmount(): Promise<void>;
}
