/**
 * The memory filesystem with poll, lseek and fallocate, which writes every request
 * of the kernel to a file.
 *
 * Usage: node trace-server.js MOUNTPOINT TRACE_FILE
 */
import * as fs from 'node:fs';
import { must } from '../../src/base/assert.js';
import type {
  EmptyReply,
  FallocateRequest,
  LseekReply,
  LseekRequest,
  PollReply,
  PollRequest,
} from '../../src/fuse/api.js';
import {
  FOPEN_DIRECT_IO,
  type Handlers,
  mountFuse,
  type OpenReply,
  type OpenRequest,
  Session,
} from '../../src/fuse/index.js';
import { MemoryFilesystem } from './memfs.js';

/** Fields of a request that tell what the kernel passed on. */
const SHOWN = ['offset', 'size', 'whence', 'length', 'mode', 'events', 'scheduleNotify', 'kh'];
const DATA_AT = 7;

class Traced extends MemoryFilesystem {
  override open(_request: OpenRequest, reply: OpenReply): void {
    reply.open({ fh: 1, flags: FOPEN_DIRECT_IO });
  }
  lseek({ offset }: LseekRequest, reply: LseekReply): void {
    reply.offset(Math.max(offset, DATA_AT));
  }
  fallocate(_request: FallocateRequest, reply: EmptyReply): void {
    reply.ok();
  }
  poll(_request: PollRequest, reply: PollReply): void {
    reply.events(0);
  }
}

const mountpoint = must(process.argv[2], 'mountpoint');
const trace = fs.openSync(must(process.argv[3], 'trace file'), 'a');

/** The same handlers, each preceded by a line in the trace. */
function traced(handlers: Handlers): Handlers {
  return new Proxy(handlers, {
    get(target, name) {
      const handler: unknown = Reflect.get(target, name, target);
      if (typeof handler !== 'function') return handler;
      return (request: object, reply: object) => {
        const shown = Object.entries(request)
          .filter(([key, value]) => SHOWN.includes(key) && value !== undefined)
          .map(([key, value]) => `${key}=${String(value)}`);
        fs.writeSync(trace, `${[String(name), ...shown].join(' ')}\n`);
        return Reflect.apply(handler, target, [request, reply]);
      };
    },
  });
}

const device = await mountFuse({ mountpoint, fsname: 'trace', subtype: 'trace' });
const session = new Session(device, traced(new Traced(false)));
session.start();
const end = await session.ended;
if (end instanceof Error) throw end;
