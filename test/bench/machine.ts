/** What the figures were taken on. */
import * as fs from 'node:fs';
import * as os from 'node:os';

export interface Machine {
  readonly date: string;
  readonly kernel: string;
  readonly node: string;
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Other work on the machine when the bench began: it makes every figure worse. */
  readonly load: number;
}

export function describeMachine(date: Date): Machine {
  const cpus = os.cpus();
  return {
    date: date.toISOString(),
    kernel: os.release(),
    node: process.version,
    cpu: cpus[0]?.model ?? 'unknown',
    cpus: cpus.length,
    memoryBytes: os.totalmem(),
    load: os.loadavg()[0] ?? 0,
  };
}

/** What can be had without swapping, by the kernel's estimate. */
export function availableMemoryBytes(): number {
  const match = /^MemAvailable:\s+(\d+) kB/m.exec(fs.readFileSync('/proc/meminfo', 'utf8'));
  return match === null ? os.freemem() : Number(match[1]) * 1024;
}

export interface Memory {
  readonly rssBytes: number;
  readonly anonBytes: number;
  readonly fileBytes: number;
  readonly peakBytes: number;
}

/** Of a process, from /proc/PID/status. RssFile of an LMDB user is its mapped pages: page cache, not heap. */
export function memoryOf(pid: number): Memory {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (field: string): number => {
    const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status);
    return match === null ? 0 : Number(match[1]) * 1024;
  };
  return {
    rssBytes: read('VmRSS'),
    anonBytes: read('RssAnon'),
    fileBytes: read('RssFile') + read('RssShmem'),
    peakBytes: read('VmHWM'),
  };
}

/** CPU time of all threads of a process in nanoseconds, by the scheduler's own count. */
export function cpuNsOf(pid: number): number {
  let total = 0;
  for (const task of fs.readdirSync(`/proc/${pid}/task`)) {
    const text = fs.readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8');
    total += Number(text.split(' ')[0]);
  }
  return total;
}
