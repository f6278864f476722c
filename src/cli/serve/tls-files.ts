/** Certificates and keys as files of PEM. */
import { readFileSync } from 'node:fs';
import type { TlsTexts } from '../../rpc/socket/tls.js';
import { CliError } from '../cli-error.js';
import { ExitCode } from '../exit-codes.js';
import type { TlsFiles } from './options.js';

/** CliError, naming the file that cannot be read. */
export function readTls({ cert, key, ca }: TlsFiles): TlsTexts {
  return { cert: readPem(cert), key: readPem(key), ca: readPem(ca) };
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const message = `cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`;
    throw new CliError(ExitCode.FAILURE, message, { cause: error });
  }
}
