/** TLS with certificates on both sides: who the other one is, and what is allowed. */
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { Peer } from '../channel.js';

/** PEM: its own certificate and key, and the authority that the other side's must come from. */
export interface TlsTexts {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** Of either side. */
export function tlsOptions({ cert, key, ca }: TlsTexts) {
  return {
    cert,
    key,
    ca,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    requestCert: true,
    rejectUnauthorized: true,
  } as const;
}

/** Error unless the other side has proved to have a certificate of the authority. */
export function tlsPeer(socket: TLSSocket): Peer {
  if (!socket.authorized) {
    throw new Error(`the other side has no good certificate: ${socket.authorizationError}`);
  }
  const certificate: Partial<PeerCertificate> = socket.getPeerCertificate();
  const fingerprint = certificate.fingerprint256?.replaceAll(':', '').toLowerCase();
  if (fingerprint === undefined) throw new Error('the other side showed no certificate');
  const name = certificate.subject?.CN;
  return {
    kind: 'tls',
    fingerprint,
    name: typeof name === 'string' ? name : '',
    address: socket.remoteAddress ?? '',
  };
}
