/** What a client does after the server was killed. */
import { must } from '../../../src/base/assert.js';
import type { Errno } from '../../../src/base/errno.js';
import { ROOT_FID } from '../../../src/base/fid.js';
import { nameFromText } from '../../../src/base/name.js';
import type { Method, Reint } from '../../../src/rpc/messages.js';
import type { RemoteRequest } from '../../../src/rpc/remote.js';
import type { Answer, Capability, RecoveryStep, Replay, Slot } from '../../../src/rpc/session.js';
import { type TestClient, WHO } from './test-client.js';
import type { World } from './world.js';

/** The same client, that remembers what it was connected to. */
export async function restarted(world: World, client: TestClient): Promise<TestClient> {
  await world.restart();
  return comesBack(world, client);
}

export function comesBack(world: World, client: TestClient): TestClient {
  const again = world.client(Number.parseInt(client.id, 10), client.peer);
  again.boot = client.boot;
  return again;
}

export function done(client: TestClient, ...steps: readonly RecoveryStep[]): void {
  for (const step of steps) {
    client.send({ kind: 'step-done', step });
    client.world.tick();
    // A recovery ends when all of it is on disk.
    if (step === 'locks') client.world.settle();
  }
}

export function capabilityOf(answer: Answer): Capability {
  return must(answer.capability, 'a capability');
}

/** As the client kept it. */
export function replayOf<M extends Method>(
  client: TestClient,
  method: M,
  request: RemoteRequest<M>,
  answer: Answer,
  slot = 0,
): Replay {
  const payload = client.payload(method, request);
  const receipt = must(answer.receipt, 'a receipt');
  return { kind: 'replay', xid: answer.xid, slot: slot as Slot, payload, receipt };
}

export function replayOfChange(
  client: TestClient,
  change: Reint,
  answer: Answer,
  keeps = false,
): Replay {
  return replayOf(client, 'reint', { who: WHO, change, keepsNameless: keeps }, answer);
}

export function reopened(
  client: TestClient,
  ...opens: readonly Capability[]
): readonly (readonly [number, Errno])[] {
  client.send({ kind: 'reopen', id: 1, opens });
  return client.take('reopened').failed.map(({ handle, errno }) => [handle, errno]);
}

export function lookup(client: TestClient, name: string): Errno | 0 {
  return client.ask('lookup', { parent: ROOT_FID, name: nameFromText(name) }).errno;
}
