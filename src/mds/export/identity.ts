/** Who is at the other end of a connection, and whether it may be a client. */
import type { Peer } from '../../rpc/channel.js';

/** As it is stored with a client: who comes with its id must be the same. */
export function identityOf(peer: Peer): string {
  switch (peer.kind) {
    case 'unix':
      return `uid:${peer.uid}`;
    case 'tls':
      return `cert:${peer.fingerprint}`;
    case 'local':
      return 'local';
  }
}

/** Those that could do without this server whatever it refuses them: none of them has only a share of it. */
export function privilegedIdentities(serverUid: number): ReadonlySet<string> {
  return new Set(['local', 'uid:0', `uid:${serverUid}`]);
}

/** The client's NID, as records name it: it is not the client's to say. */
export function nidOf(peer: Peer): string {
  return peer.kind === 'tls' ? `${peer.address}@tcp` : '0@lo';
}

/** Why it may not; undefined if it may. A client says on whose behalf it asks, so it must be trusted with all users. */
export function refusesPeer(peer: Peer, uids: ReadonlySet<number>): string | undefined {
  // TLS has let nobody in whose certificate is not one of ours.
  if (peer.kind !== 'unix' || uids.has(peer.uid)) return undefined;
  return `user ${peer.uid} may not connect; the server's --allow-uid says who may`;
}
