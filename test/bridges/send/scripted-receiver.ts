/**
 * Plays a receiver: says hello, keeps the stream in a file, confirms commits, and ends, all
 * as its argument says. Run by a sender under test.
 */
import * as fs from 'node:fs';
import { placeToJson } from '../../../src/bridges/stream/header.js';
import { StreamReader } from '../../../src/bridges/stream/reader.js';
import { StreamError } from '../../../src/bridges/stream/stream-error.js';

export interface Script {
  /** The copy that it says is there. */
  readonly copy: unknown;
  /** Says this before anything else. */
  readonly banner?: string;
  /** Where the kinds of the frames that came go to. */
  readonly file?: string;
  /** `all`: each commit; `first`: only that; `ahead`: what never came. */
  readonly confirm?: 'all' | 'first' | 'ahead';
  /** Ends there. */
  readonly endAfterCommits?: number;
  readonly exitCode?: number;
  /** Goes on at Ctrl-C, up to the end of the stream. */
  readonly ignoresInterrupt?: boolean;
}

const script = JSON.parse(process.argv[2] ?? '{}') as Script;

function say(event: unknown): void {
  fs.writeSync(1, `${JSON.stringify(event)}\n`);
}

if (script.banner !== undefined) fs.writeSync(1, `${script.banner}\n`);
say({ event: 'hello', target: 'directory', copy: script.copy });
const kinds: string[] = [];
let commits = 0;
if (script.ignoresInterrupt === true) process.on('SIGINT', () => {});
// A stream that broke off is told of by the sender.
process.once('uncaughtException', (error) => process.exit(error instanceof StreamError ? 3 : 4));
for await (const { frame } of new StreamReader(process.stdin)) {
  if (frame.kind === 'idle') continue;
  kinds.push(frame.kind);
  if (script.file !== undefined) fs.writeFileSync(script.file, kinds.join(' '));
  if (frame.kind !== 'commit') continue;
  commits += 1;
  const { to } = frame;
  const place =
    script.confirm === 'ahead' ? { ...to, offset: to.offset + 8, index: to.index + 1 } : to;
  if (script.confirm !== undefined && (script.confirm !== 'first' || commits === 1)) {
    say({ event: 'confirmed', ...placeToJson(place) });
  }
  if (commits === script.endAfterCommits) break;
}
say({ event: 'done' });
process.exit(script.exitCode ?? 0);
