/** A thread that does steps. It is started by worker-pool.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { must } from '../../../base/assert.js';
import { badStream, HandsError } from './hands-error.js';
import { Shortfalls } from './shortfalls.js';
import { isDenied, StepRunner } from './step-runner.js';
import { TargetTree } from './target-tree.js';
import type { WorkerFailure, WorkerReply, WorkerSetup, WorkerTask } from './worker-protocol.js';

const port = must(parentPort, 'whoever started this thread');
const { root, reserved, walk, uids, gids, uid } = workerData as WorkerSetup;
const shortfalls = new Shortfalls();
const limbo = (): number => {
  throw badStream('', 'what is in the limbo is for the first thread');
};
const tree = new TargetTree({ root, limbo, reserved, walk });
const maps = { uids, gids };
const runner = new StepRunner({ tree, maps, shortfalls, uid, relaxed: undefined });

port.on('message', ({ steps, ownersFailed }: WorkerTask) => {
  if (ownersFailed) shortfalls.setOwnersFailed();
  port.postMessage(perform(steps));
});

function perform(steps: WorkerTask['steps']): WorkerReply {
  const inodes: number[] = [];
  const denied: number[] = [];
  let failure: WorkerFailure | undefined;
  try {
    for (const [i, step] of steps.entries()) {
      try {
        inodes.push(runner.run(step)?.inode ?? -1);
      } catch (error) {
        if (!isDenied(error)) throw error;
        inodes.push(-1);
        denied.push(i);
      }
    }
  } catch (error) {
    // A fault of ours, not of the target, ends the thread, and that is told to whoever waits.
    if (!(error instanceof HandsError)) throw error;
    const { kind, errno, path, message } = error;
    failure = { kind, errno, path, message };
  } finally {
    // Between tasks directories may be moved.
    tree.forget();
  }
  return { inodes, denied, shortfalls: shortfalls.take(), failure };
}
