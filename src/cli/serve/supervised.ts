/** `feedfs mount -o ha`: a server as a child process, and a mount of it. */
import { join } from 'node:path';
import { type Address, addressText, parseAddress } from '../../rpc/socket/address.js';
import { askStatus } from './connector.js';
import type { EmbeddedOptions, RemoteOptions, Served } from './options.js';
import { HA_SOCKET, readPlace } from './place.js';
import { serveRemote } from './remote.js';
import { storeState } from './store-state.js';
import { Supervisor } from './supervisor.js';

export type SupervisedOptions = EmbeddedOptions &
  Pick<RemoteOptions, 'onWaiting' | 'log'> & { readonly logFile: string | undefined };

/** Throws CliError or MountError, with the server's own reason if it does not start. */
export async function serveSupervised(options: SupervisedOptions): Promise<Served> {
  const { store, visibility, userWatch, log } = options;
  const address = { kind: 'unix', path: join(store, HA_SOCKET) } as const;
  const supervisor = new Supervisor({
    argv: [
      ...['--listen', addressText(address), '--visibility', visibility],
      ...(userWatch ? ['--user-watch'] : []),
      ...['--', store],
    ],
    log: options.logFile,
    nowMs: () => performance.now(),
    say: log,
    state: () => storeState(store),
  });
  await supervisor.start();
  /** That of a server that another process started, while there is one. */
  const current = (): Address => otherAddress(store) ?? address;
  /** Nobody is connected any more who is not this mount. */
  const unused = async (): Promise<boolean> => {
    try {
      const { clients } = await askStatus(current(), undefined);
      return clients.every(({ state, name }) => state === 'evicted' || name === 'server');
    } catch {
      return true;
    }
  };
  try {
    const served = await serveRemote({
      ...options,
      get address() {
        return current();
      },
      ...{ source: store, tls: undefined, opens: 'reconstruct', throughServer: false },
    });
    const ended = served.ended.finally(async () => supervisor.stop(await unused()));
    return { ended, unmount: () => served.unmount() };
  } catch (error) {
    await supervisor.stop(true);
    throw error;
  }
}

/** A unix socket: for another machine's there would have to be certificates. */
function otherAddress(store: string): Address | undefined {
  const text = readPlace(store)?.addresses.find((one) => one.startsWith('unix:'));
  return text === undefined ? undefined : parseAddress(text);
}
