/** What a welcome means to a client that has been connected before. */
import {
  type Hello,
  SESSION_VERSION,
  type ServerBoot,
  type ServerMessage,
  type Welcome,
} from '../../rpc/session.js';
import type { Kept } from './kept.js';
import type { ImportOptions } from './options.js';

/** What the client knows of the server, from the connections before; undefined before the first. */
export interface KnownServer {
  readonly filesystem: string;
  /** Undefined: there is nothing that this client has at the server. */
  readonly boot: ServerBoot | undefined;
}

/** What the client says first on each connection. */
export function helloOf(
  {
    client,
    name,
    opens,
    kept,
  }: Pick<ImportOptions, 'client' | 'name' | 'opens'> & { readonly kept: Kept },
  known: KnownServer | undefined,
): Hello {
  const { committed } = kept.replays;
  const version = SESSION_VERSION;
  return { kind: 'hello', version, client, name, boot: known?.boot, opens, committed };
}

/** Why that server is of no use, whenever it is asked. */
export function refusesServer(
  welcome: Welcome,
  known: KnownServer | undefined,
): string | undefined {
  if (welcome.version !== SESSION_VERSION) {
    return `the server speaks version ${welcome.version} of the protocol, this client ${SESSION_VERSION}`;
  }
  if (known !== undefined && known.filesystem !== welcome.filesystem) {
    return `another filesystem is served there now: ${welcome.filesystem}, not ${known.filesystem}`;
  }
  return undefined;
}

/** That changes are missing which were on disk, by what this client was told. */
export function tellsOlderStore(
  { committed }: Welcome,
  known: KnownServer | undefined,
  knownCommitted: number,
): string | undefined {
  if (known?.boot === undefined || committed >= knownCommitted) return undefined;
  return `the server's store went back in time: change ${knownCommitted} was on disk, now ${committed} is the last`;
}

/** The outcome, for a client that has something, or nothing, at that server. */
export function outcomeFor(welcome: Welcome, known: KnownServer | undefined): Welcome['outcome'] {
  const hasNothing = known?.boot === undefined;
  if (welcome.outcome === 'evicted' && hasNothing) return 'new';
  return welcome.outcome === 'new' && !hasNothing ? 'evicted' : welcome.outcome;
}

/** Whether a server may say that first. */
export function isGreeting({ kind }: ServerMessage): boolean {
  return kind === 'welcome' || kind === 'refused' || kind === 'evicted';
}
