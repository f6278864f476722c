/** The state of a recovery as lines of text, as Lustre's `recovery_status` has them. */
import type { RecoveryStatus } from '../rpc/session.js';
import { formatName } from './format.js';
import { table } from './output.js';

export function recoveryLines(status: RecoveryStatus): string[] {
  const { state, clients, durationSec, leftSec, windowSec } = status;
  const gone = clients.filter((client) => client.state === 'missing');
  const lines = [`recovery: ${state}`];
  if (state !== 'inactive') lines.push(`took: ${round(durationSec)} s of at most ${windowSec} s`);
  if (leftSec !== undefined) lines.push(`ends: within ${round(leftSec)} s`);
  if (gone.length > 0) lines.push(`missing: ${gone.length} of ${clients.length}`);
  lines.push(
    `opens: ${status.reopened} opened again; changes: ${status.replayed} made again, ${status.refused} refused`,
    `transactions: ${status.last}, on disk ${status.committed}`,
  );
  if (clients.length > 0) lines.push('mounts:');
  const rows = clients.map((client) => [
    `  ${formatName(client.name)}`,
    client.state,
    client.reason === undefined ? '' : formatName(client.reason),
  ]);
  return [...lines, ...table(rows, new Set())];
}

function round(seconds: number): string {
  return (Math.round(seconds * 10) / 10).toString();
}
