/** What an import is made with. */
import type { Clock } from '../../base/time.js';
import type { Connect } from '../../rpc/channel.js';
import type {
  ClientId,
  ClientMessage,
  OpenRecovery,
  ServerMessage,
  Welcome,
} from '../../rpc/session.js';
import type { ImportEvents } from '../import-events.js';
import type { EncodeRequest } from './pending-call.js';

export interface ImportOptions {
  readonly connect: Connect<ClientMessage, ServerMessage>;
  readonly clock: Clock;
  /** Drawn at random by who makes the import. */
  readonly client: ClientId;
  /** For people: host, mount point and pid. */
  readonly name: string;
  readonly opens: OpenRecovery;
  readonly events: ImportEvents;
  readonly log: (line: string) => void;
  /** Why this mount cannot work with that server, asked at every welcome; it then gives up for good. */
  readonly refuses?: (welcome: Welcome) => string | undefined;
  /** {@link Import.dueInUs} may be earlier than it was. */
  readonly onWake?: () => void;
  /** Of a test. */
  readonly encode?: EncodeRequest;
}
