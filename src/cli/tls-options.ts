/** `--tls-cert`, `--tls-key` and `--tls-ca`: all of them, or none. */
import type { Arguments } from './arguments.js';
import { usageError } from './cli-error.js';
import type { OptionSpec } from './command.js';
import { absolutePath } from './mounts.js';
import type { TlsFiles } from './serve/options.js';

export const TLS_OPTIONS: readonly OptionSpec[] = [
  { name: 'tls-cert', value: 'FILE', help: 'certificate of this side, as PEM (for tcp:)' },
  { name: 'tls-key', value: 'FILE', help: 'its key' },
  { name: 'tls-ca', value: 'FILE', help: "authority that the other side's certificate is from" },
];

/** Throws USAGE if some are missing, or if `isTcp` and there are none. */
export function tlsFiles(args: Arguments, cwd: string, isTcp: boolean): TlsFiles | undefined {
  const [cert, key, ca] = TLS_OPTIONS.map(({ name }) => args.value(name));
  if (cert === undefined && key === undefined && ca === undefined) {
    if (isTcp) throw usageError('tcp: needs --tls-cert, --tls-key and --tls-ca');
    return undefined;
  }
  if (cert === undefined || key === undefined || ca === undefined) {
    throw usageError('--tls-cert, --tls-key and --tls-ca go together');
  }
  return {
    cert: absolutePath(cert, cwd),
    key: absolutePath(key, cwd),
    ca: absolutePath(ca, cwd),
  };
}

/** The same options for another process. */
export function tlsArguments(files: TlsFiles | undefined): string[] {
  if (files === undefined) return [];
  return ['--tls-cert', files.cert, '--tls-key', files.key, '--tls-ca', files.ca];
}
