/** `.lustre/recovery_status`: lines of `key: value`, as Lustre's file of that name has them. */
import type { RecoveryStatus } from '../../rpc/messages.js';
import type { RecoveryState } from '../../rpc/session.js';

const STATES: Readonly<Record<RecoveryState, string>> = {
  inactive: 'INACTIVE',
  waiting: 'WAITING',
  opens: 'RECOVERING',
  replays: 'RECOVERING',
  locks: 'RECOVERING',
  complete: 'COMPLETE',
};

export function recoveryText(status: RecoveryStatus): string {
  const { state, clients, started, leftSec } = status;
  const lines: (readonly [string, string | number])[] = [['status', STATES[state]]];
  if (started !== undefined) {
    lines.push(['recovery_start', started.sec], ['recovery_duration', whole(status.durationSec)]);
  }
  if (leftSec !== undefined) lines.push(['step', state], ['time_remaining', whole(leftSec)]);
  const count = (...wanted: readonly string[]): string =>
    `${clients.filter((client) => wanted.includes(client.state)).length}/${clients.length}`;
  lines.push(
    ['completed_clients', count('done', 'connected', 'disconnected')],
    ['missing_clients', count('missing')],
    ['evicted_clients', count('evicted')],
    ['reopened_files', status.reopened],
    ['replayed_requests', status.replayed],
    ['refused_requests', status.refused],
    ['last_transno', status.last],
    ['last_committed', status.committed],
  );
  for (const { client, name, state: of, reason } of clients) {
    const why = reason === undefined ? '' : ` (${reason})`;
    lines.push(['client', `${client} ${of} ${JSON.stringify(name)}${why}`]);
  }
  return lines.map(([key, value]) => `${key}: ${value}\n`).join('');
}

function whole(seconds: number): number {
  return Math.round(seconds);
}
