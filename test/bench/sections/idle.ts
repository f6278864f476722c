/** What a mount costs that nobody uses: CPU time with a feed on and a reader waiting. */
import { spawn } from 'node:child_process';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { IDLE_SECONDS } from '../limits.js';
import { cpuNsOf, memoryOf } from '../machine.js';
import type { Section, SectionResult } from '../section.js';
import { startFeedfs } from '../servers.js';
import { number } from '../table.js';

/** What counts as "not measurable": a tick of the clock in 20 s. */
const GOAL_PERCENT = 0.05;
const SETTLE_MS = 1_000;

export const idle: Section = {
  name: 'idle',
  summary: 'CPU of the daemon while nothing happens',
  async run(context): Promise<SectionResult> {
    const server = await startFeedfs(context.cleanup, {
      store: path.join(context.disk.dir, 'store-idle'),
      mountpoint: path.join(context.dir, 'feedfs-idle'),
    });
    const reader = spawn('cat', [path.join(server.feed, 'stream')], { stdio: 'ignore' });
    const stopReader = context.cleanup.defer('idle reader', () => {
      reader.kill('SIGKILL');
    });
    context.progress(`idle: ${IDLE_SECONDS} s`);
    await delay(SETTLE_MS);
    const before = cpuNsOf(server.pid);
    await delay(IDLE_SECONDS * 1_000);
    const percent = ((cpuNsOf(server.pid) - before) / (IDLE_SECONDS * 1e9)) * 100;
    const memory = memoryOf(server.pid);
    await stopReader();
    await server.stop();
    const goal = { relation: '<=', bound: GOAL_PERCENT } as const;
    return {
      ratios: [{ what: 'CPU of the idle daemon', value: percent, unit: '% of a CPU', goal }],
      tables: [],
      notes: [
        `over ${IDLE_SECONDS} s, one feed on, one reader blocked; resident ${number(memory.rssBytes / 1e6)} MB.`,
      ],
      data: { percent, seconds: IDLE_SECONDS, memory },
    };
  },
};
