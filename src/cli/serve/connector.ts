/** Connecting to a server: for a mount, and for a look at its state. */
import type { Connect } from '../../rpc/channel.js';
import { type RecoveryStatus, SESSION_VERSION } from '../../rpc/session.js';
import type { ClientMessage, ServerMessage } from '../../rpc/session-messages.js';
import { type Address, addressText } from '../../rpc/socket/address.js';
import { connect } from '../../rpc/socket/connect.js';
import { CliError } from '../cli-error.js';
import { ExitCode } from '../exit-codes.js';
import { STATUS_MS_MAX } from '../limits.js';
import type { TlsFiles } from './options.js';
import { readTls } from './tls-files.js';

/** The files of TLS are read each time: certificates are renewed. */
export function connector(place: {
  /** Asked each time: the next server may listen elsewhere. */
  readonly address: Address;
  readonly tls: TlsFiles | undefined;
}): Connect<ClientMessage, ServerMessage> {
  return () => {
    const { address, tls } = place;
    return connect(address, tls === undefined ? {} : { tls: readTls(tls) });
  };
}

/** Why, and where it is, once. */
export function failureAt(address: Address, why: string): string {
  const where = addressText(address);
  return why.includes(where) ? why : `${where}: ${why}`;
}

/** CliError NO_SERVER. */
export async function askStatus(
  address: Address,
  tls: TlsFiles | undefined,
): Promise<RecoveryStatus> {
  const failed = (why: string, cause?: unknown): CliError =>
    new CliError(ExitCode.NO_SERVER, failureAt(address, why), { cause });
  const channel = await connector({ address, tls })().catch((error: unknown) => {
    throw failed(error instanceof Error ? error.message : String(error), error);
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(failed('no answer'));
      channel.close('no answer');
    }, STATUS_MS_MAX);
    channel.listen({
      message: (message) => {
        if (message.kind === 'status') resolve(message.status);
        else if (message.kind === 'refused') reject(failed(message.reason));
        else return;
        clearTimeout(timer);
        channel.close('answered');
      },
      closed: (reason) => {
        clearTimeout(timer);
        reject(failed(reason));
      },
    });
    channel.send({ kind: 'status-asked', version: SESSION_VERSION });
  });
}
