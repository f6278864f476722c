/** What a server of several clients is made of, and what it is told. */
import type { Clock } from '../../base/time.js';
import type { ClientId, ServerBoot } from '../../rpc/session.js';
import type { Store } from '../../store/store.js';
import type { MetadataServer } from '../server.js';
import type { DataService } from './own-methods.js';
import type { KeyRing } from './parts.js';

export interface ExportServerOptions {
  /** Made with `recovers`. */
  readonly server: MetadataServer;
  readonly store: Store;
  readonly clock: Clock;
  readonly keys: KeyRing;
  /** Of this run: nobody has had it before. */
  readonly boot: ServerBoot;
  /** Folder of the object files, if clients of this machine may use them. */
  readonly objects: string | undefined;
  /** Users that may connect by a unix socket, besides root and the one that serves. */
  readonly allowUids: readonly number[];
  /** Who serves; default: this process. */
  readonly uid?: number;
  /** How long a recovery waits for clients, in microseconds. */
  readonly windowUs: number;
  /** Contents, for clients that do not reach the object files. */
  readonly data?: DataService;
  /** Ordinary users may have watches: as the server was told. Default false. */
  readonly userWatch?: boolean;
  readonly log: (line: string) => void;
  /** Messages were handled: what is due may be due earlier than was said. */
  readonly wake?: () => void;
  /** The client is gone for good; what it was writing is not recorded yet. */
  readonly onGone?: (client: ClientId) => void;
}
