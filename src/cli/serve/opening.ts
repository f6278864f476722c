/** Opening a store for a server, and leaving it with everything on disk. */
import { errnoName, FsError } from '../../base/errno.js';
import { MetadataServer, type ServerOptions } from '../../mds/server.js';
import { isPageDamage, StoreError } from '../../store/errors.js';
import { CliError } from '../cli-error.js';
import { ExitCode } from '../exit-codes.js';

/** CliError where the disk does not take the last changes: that is no bug, and the store has all before them. */
export async function settle(server: MetadataServer, store: string): Promise<void> {
  try {
    await server.settle();
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    const message = `${store}: the last changes could not be saved (${errnoName(error.errno)})`;
    throw new CliError(ExitCode.FAILURE, message, { cause: error });
  }
}

/** What cannot be read of the store's own state is damage of the store, not of the program. */
export function openServer(options: ServerOptions): MetadataServer {
  try {
    return new MetadataServer(options);
  } catch (error) {
    // The last two: a value that is whole, and shorter than what it should hold.
    const damage = [FsError, SyntaxError, RangeError, TypeError];
    if (!isPageDamage(error) && !damage.some((kind) => error instanceof kind)) throw error;
    const { path } = options.store;
    const message = `${path} is damaged: ${(error as Error).message}; run feedfs fsck ${path}`;
    throw new StoreError('corrupt', message, { cause: error });
  }
}
