/** Steps of a crash run that make holes and zeros in open files, or set space aside. */
import * as assert from 'uvu/assert';
import type { CrashRun } from './crash-run.js';

const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;
const ZERO_RANGE = 16;
const MODES = [
  PUNCH_HOLE | KEEP_SIZE,
  PUNCH_HOLE | KEEP_SIZE,
  ZERO_RANGE,
  ZERO_RANGE | KEEP_SIZE,
  0,
  KEEP_SIZE,
];

/** One random step. */
export async function space(run: CrashRun): Promise<void> {
  const { random, sim } = run;
  const open = random.pick(run.opens);
  const history = open === undefined ? undefined : run.files.get(open.fid);
  if (open === undefined || history === undefined) return;
  const offset = random.below(Math.min(history.size + 5000, 40_000));
  const length = 1 + random.below(20_000);
  const mode = random.pick(MODES) ?? 0;
  const reply = sim.ask('fallocate', { nodeId: open.fid, fh: open.fh, offset, length, mode });
  while (!reply.answered) await run.letDiskWork();
  assert.is(reply.outcome, 'ok', `fallocate ${mode}`);
  const end = offset + length;
  if ((mode & KEEP_SIZE) === 0 && end > history.size) history.truncate(end);
  const inFile = Math.min(end, history.size) - offset;
  if ((mode & ~KEEP_SIZE) !== 0 && inFile > 0) history.write(offset, inFile, 0);
}
