import type { FsckFinding, FsckReport } from '../../mds/fsck.js';
import type { Arguments } from '../arguments.js';
import type { Command, Context } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { JSON_OPTION } from '../feed-argument.js';
import { wrap } from '../help.js';
import { COLUMNS_MAX } from '../limits.js';
import { absolutePath } from '../mounts.js';
import { type Output, table } from '../output.js';

export const fsckCommand: Command = {
  name: 'fsck',
  summary: 'Check a store that is not mounted, and mend it if asked to.',
  positionals: [{ name: 'STORE', help: 'directory of the store' }],
  options: [
    { name: 'repair', help: 'mend what can be mended; without it nothing is changed' },
    JSON_OPTION,
  ],
  notes: [
    'Exits with 0 if nothing is wrong, with 9 if something is, and with 12 if --repair mended all of it; 9 then means that something is left.',
    'Nothing is invented and nothing is thrown away: what --repair takes out of the store is kept in STORE/repair-TIME, and objects that lost their name are put into the directory lost+found. Consumers of its feeds should then compare what they have.',
    'What can be read of a damaged metadata file goes into a new one beside it, which needs that much free space; the old one is kept in STORE/repair-TIME too. Delete that folder when nothing in it is missed.',
    '--json prints {"findings": [{"kind", "where", "message"}...], "checked": {"inodes": 3...}}; with --repair the findings are those that are left, each with "advice", and "mended" has those that are not, and "kept" the folder with what was taken out, or null.',
  ],
  run,
};

async function run(args: Arguments, { output, cwd }: Context): Promise<ExitCode> {
  const path = absolutePath(args.required('STORE'), cwd);
  const json = args.has('json');
  return args.has('repair') ? repair(path, output, json) : check(path, output, json);
}

async function check(path: string, output: Output, json: boolean): Promise<ExitCode> {
  const { fsckStore } = await import('../../mds/fsck.js');
  const report = fsckStore(path);
  const clean = report.findings.length === 0;
  if (json) await output.json(report);
  else {
    await findings(output, report.findings);
    await verdict(output, clean ? 'clean' : `${report.findings.length} found`, report);
  }
  return clean ? ExitCode.OK : ExitCode.FSCK_FOUND;
}

async function repair(path: string, output: Output, json: boolean): Promise<ExitCode> {
  const [{ repairStore }, { adviceOn }, { SystemClock }] = await Promise.all([
    import('../../mds/fsck-repair.js'),
    import('../../mds/fsck/mendable.js'),
    import('../../base/time.js'),
  ]);
  const { mended, left, kept = null } = await repairStore(path, { clock: new SystemClock() });
  const remaining = left.findings.map((found) => ({ ...found, advice: adviceOn(found.kind) }));
  if (json) {
    await output.json({ findings: remaining, checked: left.checked, mended, kept });
  } else {
    await findings(output, mended);
    if (mended.length > 0 && remaining.length > 0) await output.line('');
    await findings(output, remaining);
    for (const kind of new Set(remaining.map((found) => found.kind))) {
      for (const line of wrap(`${kind}: ${adviceOn(kind)}`, COLUMNS_MAX)) await output.line(line);
    }
    if (kept !== null) await output.line(`what was taken out is in ${kept}`);
    const counts = [
      ...(mended.length > 0 ? [`${mended.length} mended`] : []),
      ...(remaining.length > 0 ? [`${remaining.length} left`] : []),
    ];
    await verdict(output, counts.length === 0 ? 'clean' : counts.join(', '), left);
  }
  if (remaining.length > 0) return ExitCode.FSCK_FOUND;
  return mended.length > 0 ? ExitCode.FSCK_MENDED : ExitCode.OK;
}

async function findings(output: Output, list: readonly FsckFinding[]): Promise<void> {
  const rows = list.map(({ kind, where, message }) => [kind, where, message]);
  for (const line of table(rows, new Set())) await output.line(line);
}

/** One word or two, and what was looked at; as wide as a terminal. */
async function verdict(output: Output, said: string, { checked }: FsckReport): Promise<void> {
  const counts = Object.entries(checked).map(([what, count]) => `${count} ${what}`);
  const looked = counts.length === 0 ? '' : `: ${counts.join(', ')}`;
  const [first = '', ...rest] = wrap(`${said}${looked}`, COLUMNS_MAX);
  await output.line(`${output.bold(said)}${first.slice(said.length)}`);
  for (const line of rest) await output.line(line);
}
