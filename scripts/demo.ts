/**
 * `npm run demo`: a new store, a feed, a consumer in a process of its own; a real
 * tree copied in, changed, and the daemon killed in the middle. Ends with a
 * summary, and with nothing left mounted, running or on disk.
 */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeFolder, TestMount } from '../test/support/mount.js';
import { ConsumerProcess } from './demo/consumer-process.js';
import { formatRows, Progress, quantile, thousands } from './demo/terminal.js';
import { listTree } from './demo/tree.js';
import { Workload } from './demo/workload.js';

const PACKAGES = fs.realpathSync(fileURLToPath(new URL('../../node_modules', import.meta.url)));
const MIB = 2 ** 20;

function summary(work: Workload, consumer: ConsumerProcess, seconds: number): string {
  const { records = 0, repeated = 0, missing = 0, resumedAt = 0 } = consumer.latest ?? {};
  const { crash, latenciesUs } = work;
  const changes = `${thousands(work.copied)} files copied (${thousands(work.bytes / MIB)} MiB), ${thousands(work.renamed)} renamed, ${thousands(work.deleted)} deleted`;
  const restart = crash
    ? `consumer had seen record ${thousands(crash.seenBefore)}, went on at ${thousands(resumedAt)}`
    : 'none';
  return formatRows([
    ['changes', changes],
    ['records', `${thousands(records)} counted, ${missing} missing, ${repeated} repeated`],
    ['rate', `${thousands(records / seconds)} records/s, while they were made`],
    ['wake-up', `${latency(latenciesUs, 0.5)} median, ${latency(latenciesUs, 0.99)} p99`],
    ['backlog', `${thousands(work.backlogPeak)} records at most, ${thousands(work.backlog())} now`],
    ['restart', restart],
    [
      '',
      `mounted again in ${thousands(crash?.milliseconds ?? 0)} ms; copied again: ${crash?.copiedAgain ?? 0} files`,
    ],
  ]);
}

function latency(samplesUs: readonly number[], share: number): string {
  return `${(quantile(samplesUs, share) / 1000).toFixed(2)} ms`;
}

async function demonstrate(
  mount: TestMount,
  started: (consumer: ConsumerProcess) => void,
): Promise<boolean> {
  const progress = new Progress();
  await mount.mount();
  const feed = mount.feed('demo');
  progress.step(`mounted a new store; made the feed ${feed}`);
  const consumer = new ConsumerProcess(feed);
  started(consumer);
  progress.step('started a consumer: it waits in epoll, counts, acknowledges');
  const work = new Workload(mount, feed, consumer, progress);
  const begun = performance.now();
  await work.copyTrees(PACKAGES, listTree(PACKAGES));
  progress.step(`copied ${thousands(work.copied)} files of node_modules in`);
  await work.shuffle();
  progress.step(`renamed ${thousands(work.renamed)} and deleted ${thousands(work.deleted)}`);
  await work.drain();
  const seconds = (performance.now() - begun) / 1000;
  progress.step('the consumer has everything');
  await work.measureWakeUps();
  await work.drain();
  progress.clear();
  process.stdout.write(`\n${summary(work, consumer, seconds)}\n`);
  await consumer.stop();
  await mount.unmount();
  return consumer.latest?.missing === 0;
}

async function main(): Promise<void> {
  const folder = fs.mkdtempSync(join(tmpdir(), 'feedfs-demo-'));
  const mount = new TestMount(folder, {});
  let consumer: ConsumerProcess | undefined;
  // Runs on every way out: the end, a failure, Ctrl-C.
  process.on('exit', () => {
    consumer?.abandon();
    mount.abandon();
    removeFolder(folder);
  });
  const complete = await demonstrate(mount, (process) => {
    consumer = process;
  });
  if (!complete) throw new Error('the consumer missed records');
}

try {
  await main();
} catch (error) {
  process.stderr.write(`\nThe demo failed: ${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}
