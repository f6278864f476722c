import { IGNORABLE, Ignored } from '../../bridges/verify/ignored.js';
import { compareTrees, type Progress } from '../../bridges/verify/trees.js';
import type { Arguments } from '../arguments.js';
import { CliError, usageError } from '../cli-error.js';
import type { Command, Context } from '../command.js';
import { ExitCode } from '../exit-codes.js';
import { JSON_OPTION } from '../feed-argument.js';
import { formatBytes, formatName } from '../format.js';
import { DIFFERENCES_SHOWN_DEFAULT } from '../limits.js';
import { absolutePath } from '../mounts.js';
import type { Output } from '../output.js';
import { ProgressLine } from '../progress-line.js';
import {
  findingToJson,
  formatDifference,
  formatTrouble,
  nameOf,
  type Roots,
} from '../verify-lines.js';

export const verifyCommand: Command = {
  name: 'verify',
  summary: 'Compare two directory trees: attributes, links, xattrs, ACLs and contents.',
  positionals: [
    { name: 'A', help: 'a directory, such as a mounted feedfs' },
    { name: 'B', help: 'another, such as its copy' },
  ],
  options: [
    {
      name: 'max',
      value: 'N',
      help: `print at most N differences and N errors (default ${DIFFERENCES_SHOWN_DEFAULT}); all are counted`,
    },
    { name: 'no-contents', help: 'do not read the files' },
    {
      name: 'trust-holes',
      help: 'skip holes of files behind FUSE, too: quick for huge sparse files, but what somebody changes through a mapping meanwhile can be missed',
    },
    {
      name: 'ignore',
      value: 'WHAT',
      multiple: true,
      help: `leave that out; a list of ${IGNORABLE} (NAME may end with *)`,
    },
    JSON_OPTION,
  ],
  notes: [
    'Names, types, modes, owners, sizes, mtimes to the nanosecond, device numbers, targets of symlinks, which names are links of one object, all extended attributes that the user may read (ACLs are some), and contents. Not access times, not ctimes, not the sizes of directories. What only one tree has is one difference, whatever is below it.',
    'Exits with 0 if the trees are equal, with 16 if they differ, and with 1 if something could not be compared: it could not be read, or changed meanwhile.',
    '--json prints one object per line: {"event": "difference", "path", "property", "a", "b"}, {"event": "error", "path", "side", "message"}, {"event": "mount", "path", "side"} for another filesystem that is mounted below, and at the end {"event": "done", "equal", "differences", "errors", "objects", "bytes", "ignored"}. Times are in nanoseconds.',
  ],
  run,
};

interface Counts {
  differences: number;
  troubles: number;
}

async function run(args: Arguments, context: Context): Promise<ExitCode> {
  const roots = { a: args.required('A'), b: args.required('B') };
  const max = args.integer('max', 0) ?? DIFFERENCES_SHOWN_DEFAULT;
  const ignored = ignoredOf(args);
  const counts: Counts = { differences: 0, troubles: 0 };
  const progress: Progress = { objects: 0, bytes: 0 };
  const options = { ignored, progress, trustHoles: args.has('trust-holes') };
  const line = new ProgressLine(() => progressText(progress, counts));
  const json = args.has('json');
  const printer = json ? jsonPrinter(context.output) : textPrinter(context.output, roots, line);
  const { closed } = context.output;
  try {
    const [a, b] = [absolutePath(roots.a, context.cwd), absolutePath(roots.b, context.cwd)];
    for await (const finding of compareTrees(a, b, options)) {
      closed.throwIfAborted();
      if (finding.kind === 'difference' && ++counts.differences > max) continue;
      if (finding.kind === 'trouble' && ++counts.troubles > max) continue;
      await printer(finding);
    }
  } catch (error) {
    throw rootError(error);
  } finally {
    line.end();
  }
  if (json) await context.output.json(done(counts, progress, ignored));
  else await summary(context.output, counts, progress, { ignored, max });
  if (counts.troubles > 0) return ExitCode.FAILURE;
  return counts.differences > 0 ? ExitCode.DIFFERENT : ExitCode.OK;
}

function ignoredOf(args: Arguments): Ignored {
  const words = args.values('ignore').flatMap((list) => list.split(','));
  try {
    return new Ignored([...words, ...(args.has('no-contents') ? ['contents'] : [])]);
  } catch (error) {
    if (error instanceof RangeError) throw usageError(`--ignore: ${error.message}`);
    throw error;
  }
}

type Printer = (finding: Parameters<typeof findingToJson>[0]) => Promise<void>;

function jsonPrinter(output: Output): Printer {
  return (finding) => output.json(findingToJson(finding));
}

function textPrinter(output: Output, roots: Roots, line: ProgressLine): Printer {
  return async (finding) => {
    line.clear();
    if (finding.kind === 'difference') return output.line(formatDifference(finding));
    if (finding.kind === 'trouble') return output.message(formatTrouble(finding, roots));
    const path = formatName(nameOf(finding.path));
    const where = formatName(roots[finding.side]);
    output.message(`${path}: in ${where} another filesystem is mounted there; it is compared, too`);
  };
}

/** A root that is no directory, or not there. */
function rootError(error: unknown): unknown {
  if (!(error instanceof Error) || !('path' in error) || !('code' in error)) return error;
  const path = formatName(`${error.path}`);
  if (error.code === 'ENOENT') return new CliError(ExitCode.FAILURE, `${path} does not exist`);
  if (error.code === 'ENOTDIR') return new CliError(ExitCode.FAILURE, `${path} is no directory`);
  return new CliError(ExitCode.FAILURE, `${path} cannot be read (${error.code})`);
}

function progressText({ objects, bytes }: Progress, { differences }: Counts): string {
  return `${objects} objects, ${formatBytes(bytes)} compared, ${counted(differences, 'difference')}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function done(counts: Counts, { objects, bytes }: Progress, { words }: Ignored) {
  const { differences, troubles: errors } = counts;
  const equal = differences === 0 && errors === 0;
  return { event: 'done', equal, differences, errors, objects, bytes: `${bytes}`, ignored: words };
}

async function summary(
  output: Output,
  { differences, troubles }: Counts,
  { objects, bytes }: Progress,
  { ignored, max }: { readonly ignored: Ignored; readonly max: number },
): Promise<void> {
  if (differences > max && max > 0) {
    await output.line(`and ${counted(differences - max, 'more difference')}`);
  }
  if (troubles > max) output.message(`and ${counted(troubles - max, 'more error')}`);
  const verdict = [
    ...(differences > 0 ? [counted(differences, 'difference')] : []),
    ...(troubles > 0 ? [`${counted(troubles, 'error')}: not all could be compared`] : []),
  ];
  const said = verdict.length === 0 ? 'equal' : verdict.join(', ');
  const looked = `${counted(objects, 'object')}, ${formatBytes(bytes)} of contents`;
  const without = ignored.words.length === 0 ? '' : `, not compared: ${ignored.words.join(', ')}`;
  await output.line(`${output.bold(said)} (${looked}${without})`);
}
