import type { Arguments } from '../arguments.js';
import type { Command, Context } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { JSON_OPTION } from '../feed-argument.js';
import { absolutePath } from '../mounts.js';
import { table } from '../output.js';

export const fsckCommand: Command = {
  name: 'fsck',
  summary: 'Check a store that is not mounted. Nothing is changed.',
  positionals: [{ name: 'STORE', help: 'directory of the store' }],
  options: [JSON_OPTION],
  notes: [
    'Exits with 9 if something is wrong. --json prints {"findings": [...], "checked": {...}}.',
  ],
  run,
};

async function run(args: Arguments, { output, cwd }: Context): Promise<ExitCode> {
  const { fsckStore } = await import('../../mds/fsck.js');
  const report = fsckStore(absolutePath(args.required('STORE'), cwd));
  const clean = report.findings.length === 0;
  if (args.has('json')) {
    await output.json(report);
  } else {
    const findings = report.findings.map(({ kind, where, message }) => [kind, where, message]);
    for (const line of table(findings, new Set())) await output.line(line);
    const checked = Object.entries(report.checked).map(([what, count]) => `${count} ${what}`);
    const verdict = clean ? 'clean' : `${report.findings.length} found`;
    await output.line(`${output.bold(verdict)}: ${checked.join(', ')}`);
  }
  return clean ? ExitCode.OK : ExitCode.FSCK_FOUND;
}
