/** What each way to serve FUSE lets through of poll, SEEK_DATA and signals: found by trial, not from manuals. */

import * as path from 'node:path';
import type { Capabilities } from '../client.js';
import type { Section, SectionResult } from '../section.js';
import { startOneFileServers } from '../servers.js';
import { messageOf } from '../shell.js';

/** Where data begin according to the servers; the kernel by itself answers 0. */
const DATA_AT = 7;

function interruptText(found: Capabilities): string {
  if (found.sigintMs >= 0) return `yes, ${found.sigintMs} ms`;
  return found.sigkillMs >= 0 ? `only SIGKILL, ${found.sigkillMs} ms` : 'no, nor SIGKILL';
}

export const capabilities: Section = {
  name: 'capabilities',
  summary: 'which servers can do poll, SEEK_DATA and interrupts',
  async run(context): Promise<SectionResult> {
    const found = await startOneFileServers(context.cleanup, context.peers, context.dir);
    const failed = [...found.failed];
    const results: { readonly name: string; readonly found: Capabilities }[] = [];
    for (const server of found.servers) {
      context.progress(`capabilities: ${server.name}`);
      const at = (file: string) => path.join(server.mountpoint, file);
      try {
        results.push({
          name: server.name,
          found: await context.client.probe(at('test'), at('quiet')),
        });
      } catch (error) {
        failed.push(`${server.name}: ${messageOf(error)}`);
      }
      await server.stop();
    }
    return {
      ratios: [],
      tables: [
        {
          title: 'What a server can offer to a reader',
          head: ['server', 'epoll waits', 'SEEK_DATA asked', 'blocked read ends on SIGINT'],
          rows: results.map(({ name, found }) => [
            name,
            found.pollWaits ? 'yes' : 'no: ready at once',
            found.seekData === DATA_AT ? 'yes' : 'no: kernel says 0',
            interruptText(found),
          ]),
        },
      ],
      notes: failed,
      data: results,
    };
  },
};
