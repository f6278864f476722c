/** Which requests the kernel makes of a server for one system call: the price list of every design here. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Section, SectionResult } from '../section.js';
import { startTraceServer } from '../servers.js';

interface Traced {
  readonly call: string;
  readonly result: string;
  readonly requests: readonly string[];
}

/** RELEASE and FORGET come whenever the kernel gets to it, also between two calls. */
const ASYNCHRONOUS = ['release', 'forget'];

function parse(text: string): Traced[] {
  const calls: Traced[] = [];
  let call: string | undefined;
  let requests: string[] = [];
  for (const line of text.split('\n')) {
    const [word = '', ...rest] = line.split(' ');
    if (word === 'begin') {
      call = rest.join(' ');
      requests = [];
    } else if (word === 'end' && call !== undefined) {
      const [value = '', errno = '0'] = rest;
      calls.push({ call, result: errno === '0' ? value : `errno ${errno}`, requests });
      call = undefined;
    } else if (call !== undefined && !ASYNCHRONOUS.includes(word)) requests.push(line);
  }
  return calls;
}

export const requests: Section = {
  name: 'requests',
  summary: 'the requests that the kernel makes of a server for one system call',
  async run(context): Promise<SectionResult> {
    const trace = path.join(context.dir, 'trace');
    fs.writeFileSync(trace, '');
    const server = await startTraceServer(context.cleanup, path.join(context.dir, 'traced'), trace);
    await context.client.traceCalls(server.mountpoint, trace);
    await server.stop();
    const calls = parse(fs.readFileSync(trace, 'utf8'));
    return {
      ratios: [],
      tables: [
        {
          title: 'Requests per system call (direct I/O, attributes and entries valid for long)',
          head: ['call', 'result', 'requests'],
          rows: calls.map(({ call, result, requests }) => [
            call,
            result,
            requests.map((r) => r.split(' ')[0]).join(', ') || 'none',
          ]),
        },
      ],
      notes: calls
        .flatMap(({ requests }) => requests)
        .filter((line) => /^(lseek|poll|fallocate) /.test(line)),
      data: calls,
    };
  },
};
