/** A copy becomes an ordinary filesystem: from then on it is nobody's copy, and anybody may change it. */
import { StreamRefused } from '../refusal.js';
import { ReplicaFile, readReplicaState } from './replica-file.js';

/** Resolves when it is on disk. StreamRefused if it is no copy, or is being received into. */
export async function promote(mount: string): Promise<void> {
  const state = readReplicaState(mount);
  if (state === undefined) throw new StreamRefused(`${mount} is not the root of a mounted feedfs`);
  if (state.source === undefined) throw new StreamRefused(`${mount} is no copy`);
  if (state.source.baseline === 'running') {
    throw new StreamRefused(
      `the baseline in ${mount} is not complete: it is not yet a state that the source was in`,
      { wayOut: 'receive it to its end first' },
    );
  }
  const file = new ReplicaFile(mount);
  try {
    file.add({ do: 'promote' });
    await file.sync();
  } finally {
    file.close();
  }
}
