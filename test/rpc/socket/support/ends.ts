/** What a test needs of channels: what came, and waiting for it. */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Channel } from '../../../../src/rpc/channel.js';
import type { ClientMessage, ServerMessage, Xid } from '../../../../src/rpc/session.js';
import { connect } from '../../../../src/rpc/socket/connect.js';
import { type Listening, listen } from '../../../../src/rpc/socket/listen.js';
import { encodePayload } from '../../../../src/rpc/socket/payload.js';

/** Everything that came over a channel. */
export class Inbox<Out, In> {
  readonly channel: Channel<Out, In>;
  readonly messages: In[] = [];
  closed: string | undefined;
  #waiting: (() => void)[] = [];

  constructor(channel: Channel<Out, In>) {
    this.channel = channel;
    channel.listen({
      message: (message) => {
        this.messages.push(message);
        this.#wake();
      },
      closed: (reason) => {
        this.closed = reason;
        this.#wake();
      },
    });
  }

  #wake(): void {
    for (const waiting of this.#waiting.splice(0)) waiting();
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async count(count: number): Promise<void> {
    await this.until(() => this.messages.length >= count || this.closed !== undefined);
  }

  async ended(): Promise<string> {
    await this.until(() => this.closed !== undefined);
    return this.closed ?? '';
  }
}

export function temporaryFolder(): string {
  return fs.mkdtempSync(join(tmpdir(), 'feedfs-socket-'));
}

export type ServerChannel = Channel<ServerMessage, ClientMessage>;

export interface UnixServer {
  readonly path: string;
  readonly listening: Listening;
  /** Connects; both ends. */
  pair(): Promise<{
    client: Channel<ClientMessage, ServerMessage>;
    server: ServerChannel;
  }>;
}

/** A server that listens in a folder of its own, while `run` runs. */
export async function withUnixServer(run: (server: UnixServer) => Promise<void>): Promise<void> {
  const folder = temporaryFolder();
  const path = join(folder, 'mds');
  const accepted: ServerChannel[] = [];
  const waiting: ((channel: ServerChannel) => void)[] = [];
  const listening = await listen({ kind: 'unix', path }, {}, (channel) => {
    const next = waiting.shift();
    if (next === undefined) accepted.push(channel);
    else next(channel);
  });
  const opened: { close(reason: string): void }[] = [];
  const pair = async () => {
    const client = await connect({ kind: 'unix', path });
    const server =
      accepted.shift() ?? (await new Promise<ServerChannel>((resolve) => waiting.push(resolve)));
    opened.push(client, server);
    return { client, server };
  };
  try {
    await run({ path, listening, pair });
  } finally {
    for (const channel of opened) channel.close('the test is over');
    await listening.close();
    fs.rmSync(folder, { recursive: true });
  }
}

/** A call that asks for nothing much, to be told apart by its number. */
export function someCall(xid: number): ClientMessage {
  const payload = encodePayload('statfs', undefined);
  return { kind: 'call', xid: xid as Xid, slot: undefined, resent: false, payload };
}

export function committed(transno: number): ServerMessage {
  return { kind: 'committed', transno };
}
