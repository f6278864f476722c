/** Everywhere that a server listens: at addresses, and on sockets that the service manager made. */
import { type Address, addressText } from '../../rpc/socket/address.js';
import type { BusyPoll } from '../../rpc/socket/busy-poll.js';
import {
  type AcceptChannel,
  type Listening,
  type ListenOptions,
  listen,
  listenInherited,
} from '../../rpc/socket/listen.js';
import { CliError } from '../cli-error.js';
import { ExitCode } from '../exit-codes.js';
import type { TlsFiles } from './options.js';
import { readTls } from './tls-files.js';

/** Permissions of a unix socket that several users connect to. */
const FOR_ALL = 0o666;

/** An address, or a descriptor of a socket that listens already. */
export type ListenPlace = { readonly address: Address } | { readonly fd: number };

export interface Listeners {
  /** As clients name them. */
  readonly addresses: readonly string[];
  close(): Promise<void>;
}

/** CliError if one of them cannot be listened at; then at none. */
export async function listenAt(
  options: {
    readonly listen: readonly ListenPlace[];
    readonly tls: TlsFiles | undefined;
    readonly allowUids: readonly number[];
    readonly busyPoll: BusyPoll;
  },
  accept: AcceptChannel,
): Promise<Listeners> {
  const { tls, allowUids, busyPoll } = options;
  const opened: Listening[] = [];
  const close = async (): Promise<void> => {
    for (const one of opened.splice(0)) await one.close();
  };
  const how: ListenOptions = {
    tls: tls === undefined ? undefined : readTls(tls),
    // Who they are the kernel tells, and the server looks at that.
    busyPoll,
    mode: allowUids.length > 0 ? FOR_ALL : undefined,
  };
  try {
    for (const place of options.listen) {
      opened.push(
        'fd' in place
          ? await listenInherited(place.fd, how, accept)
          : await listen(place.address, how, accept),
      );
    }
  } catch (error) {
    await close();
    const message = error instanceof Error ? error.message : String(error);
    throw new CliError(ExitCode.FAILURE, message, { cause: error });
  }
  return { addresses: opened.map(({ address }) => addressText(address)), close };
}
