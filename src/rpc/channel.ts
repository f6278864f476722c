/**
 * One connection that carries whole messages in order: a socket (rpc/socket), or in a
 * simulation a pair of queues.
 */

/** Who is at the other end, as the transport itself has proved it. */
export type Peer =
  /** A process of this machine: SO_PEERCRED of unix(7). */
  | { readonly kind: 'unix'; readonly uid: number; readonly gid: number; readonly pid: number }
  /** Mutual TLS: SHA-256 of the certificate, hexadecimal, and its subject's common name. */
  | {
      readonly kind: 'tls';
      readonly fingerprint: string;
      readonly name: string;
      readonly address: string;
    }
  /** The server's own process. */
  | { readonly kind: 'local' };

export interface ChannelEvents<In> {
  /** In order. Never called before {@link Channel.listen}, nor after `closed`. */
  message(message: In): void;
  /** Once; `reason` is for people. Nothing that was sent and not answered is certain. */
  closed(reason: string): void;
}

export interface Channel<Out, In> {
  readonly peer: Peer;
  listen(events: ChannelEvents<In>): void;
  /** Queues a message, in order. After the end it does nothing. */
  send(message: Out): void;
  /** Bytes that are queued and not yet taken by the transport: for whoever must not pile up more. */
  readonly queuedBytes: number;
  /** No message is delivered until {@link resume}, and soon the other end cannot send any either. */
  pause(): void;
  resume(): void;
  /**
   * Where the transport can: sends what is queued, and takes what has come, now and not when the
   * event loop turns. True if something had come.
   */
  poll?(): boolean;
  /** {@link poll} brings all that comes. */
  readonly polls?: boolean;
  /** Ends the connection after what is queued; `closed` follows. */
  close(reason: string): void;
}

/** Connects once. Rejects with an Error whose message says what to do. */
export type Connect<Out, In> = () => Promise<Channel<Out, In>>;
