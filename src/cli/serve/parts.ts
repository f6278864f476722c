/** What the heartbeat of a process looks after, part by part. */
import type { Client } from '../../client/client.js';
import type { SharedCoherence } from '../../client/coherence/shared-coherence.js';
import type { Import } from '../../client/import/import.js';
import type { MetadataServer } from '../../mds/server.js';
import { yieldCpu } from '../../rpc/socket/yield-cpu.js';
import type { ResidentLimit } from '../../store/resident.js';
import type { Part } from '../heartbeat.js';

/** How often unrecorded writes are looked at. */
const RECORD_CHECK_US = 250_000;
/** Pause between two steps of the purge, or of what a reader waits for, while nothing else happens. */
const PURGE_PAUSE_US = 1_000;

export function clientPart(client: Client): Part {
  return {
    tick: (nowUs) => {
      client.tick(nowUs);
      return false;
    },
    dueInUs: () => (client.anyDirty ? RECORD_CHECK_US : undefined),
  };
}

export function serverPart(server: MetadataServer, resident: ResidentLimit): Part {
  return {
    tick: (nowUs) => {
      const busy = server.tick(nowUs);
      resident.check(nowUs);
      return busy;
    },
    dueInUs: (nowUs) => {
      const due = server.commit.dueInUs(nowUs);
      if (due !== undefined) return due;
      const { feeds, changelog, baselines } = server;
      const goesOn = feeds.purge.pending || changelog.unfinished || baselines.unfinished;
      return goesOn ? PURGE_PAUSE_US : undefined;
    },
  };
}

/** While an answer is on its way the event loop has to turn, unless it can be polled for. */
export function importPart(connection: Import): Part {
  return {
    tick: (nowUs) => {
      connection.tick(nowUs);
      return connection.inFlight > 0 && !connection.polls;
    },
    poll: () => {
      if (connection.poll()) return true;
      // The server, or the program that asks next, may wait for this CPU.
      yieldCpu();
      return false;
    },
    dueInUs: (nowUs) => connection.dueInUs(nowUs),
    get restless() {
      return connection.inFlight > 0 && !connection.polls;
    },
  };
}

export function coherencePart(coherence: SharedCoherence): Part {
  return {
    tick: (nowUs) => {
      coherence.tick(nowUs);
      return false;
    },
    dueInUs: (nowUs) => coherence.dueInUs(nowUs),
  };
}
