import { addressText } from '../../rpc/socket/address.js';
import type { Arguments } from '../arguments.js';
import type { Command, Context } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { JSON_OPTION } from '../feed-argument.js';
import { recoveryLines } from '../recovery-text.js';
import { serverOf } from '../server-address.js';
import { TLS_OPTIONS, tlsFiles } from '../tls-options.js';

export const mdsStatusCommand: Command = {
  name: 'mds status',
  summary: 'Say how a metadata server stands: its recovery, its mounts, who is missing.',
  positionals: [{ name: 'ADDR', help: 'where it listens, or the directory of its store' }],
  options: [JSON_OPTION, ...TLS_OPTIONS],
  notes: ['It answers also while a recovery runs. The same is in .lustre/recovery_status.'],
  run,
};

async function run(args: Arguments, { output, cwd }: Context): Promise<ExitCode> {
  const address = serverOf(args.required('ADDR'), cwd);
  const { askStatus } = await import('../serve/connector.js');
  const status = await askStatus(address, tlsFiles(args, cwd, address.kind === 'tcp'));
  if (args.has('json')) {
    await output.json({ address: addressText(address), ...status });
    return ExitCode.OK;
  }
  await output.line(`server: ${addressText(address)}`);
  for (const line of recoveryLines(status)) await output.line(line);
  return ExitCode.OK;
}
