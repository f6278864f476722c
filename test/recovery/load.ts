/** Starts a program of load-child.ts. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type LoadReport, PROGRESS } from './load-child.js';

const CHILD = fileURLToPath(new URL('./load-child.js', import.meta.url));

export interface Running {
  readonly report: Promise<LoadReport>;
  ended: boolean;
}

/** `seconds` on a mount, as the `number`-th program of it and its like; `progress` is told of it. */
export function load(
  mountpoint: string,
  number: number,
  seconds: number,
  progress: (lines: number) => void = () => {},
): Running {
  const args = [CHILD, mountpoint, `${number}`, `${seconds}`];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const parts: Buffer[] = [];
  let complaints = '';
  child.stdout.on('data', (part: Buffer) => {
    parts.push(part);
    progress(part.toString().split(PROGRESS).length - 1);
  });
  child.stderr.on('data', (part: Buffer) => {
    complaints += part.toString();
  });
  const running: Running = {
    ended: false,
    report: new Promise((resolve, reject) => {
      child.once('close', (code) => {
        running.ended = true;
        if (code === 0) resolve(JSON.parse(Buffer.concat(parts).toString()) as LoadReport);
        else reject(new Error(`program ${number} ended with ${code}: ${complaints}`));
      });
    }),
  };
  // Who waits for it hears of it.
  running.report.catch(() => {});
  return running;
}
