/** What can be done with the files of a feed, by bytes that say how. */
import * as fs from 'node:fs';
import koffi from 'koffi';
import { must } from '../../src/base/assert.js';
import { parseFilter } from '../../src/feed/filter.js';
import { parsePolicy } from '../../src/feed/policy.js';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, fallocate } from '../posix/libc.js';

const ioctl = koffi
  .load('libc.so.6')
  .func('int ioctl(int fd, unsigned long command, void *argument)');
/** The largest that the size field of an ioctl can say. */
const IOCTL_BYTES = 16 * 1_024;
/** Those that are known, those of files, and those of terminals. */
const COMMANDS = [
  0x800866e9, 0x403066b3, 0x80086601, 0x40086602, 0xc020660b, 0x5401, 0x5421, 0, 0xffffffff,
];
const { O_RDWR, O_NONBLOCK, O_RDONLY } = fs.constants;
const FILES = [
  'stream',
  'stream.ndjson',
  'changelog',
  'info',
  'filter',
  'policy',
  'baseline',
] as const;
export type Setting = 'filter' | 'policy';
const PARSE: Readonly<Record<Setting, (text: string) => unknown>> = {
  filter: parseFilter,
  policy: parsePolicy,
};
export type Settings = Readonly<Record<Setting, string>>;

/** Where they are. */
export interface Files {
  path(file: string): string;
}

/** The errno's name of a call that failed; whatever else is thrown is a fault. */
export function tried(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string' || code === 'ENOTCONN') throw error;
  return code;
}

/** Does something with the files of the feed. What the settings may be afterwards. */
export type Step = (
  subject: Files,
  payload: Buffer,
  before: Settings,
) => readonly Settings[] | Promise<readonly Settings[]>;

/** Opens, does, closes; the errno's name of the first that failed. */
function within(path: string, flags: number, work: (fd: number) => unknown): string | undefined {
  return tried(() => {
    const fd = fs.openSync(path, flags);
    try {
      work(fd);
    } finally {
      fs.closeSync(fd);
    }
  });
}

function setting(file: Setting): Step {
  return (subject, payload, before) => {
    const code = within(subject.path(file), O_RDWR, (fd) =>
      fs.writeSync(fd, payload, 0, payload.length, 0),
    );
    const text = payload.toString('utf8');
    const valid = tried(() => asCode(() => PARSE[file](text))) === undefined;
    // The kernel asks nobody about a write of nothing.
    if (payload.length === 0) return [before];
    if (code === undefined && !valid) throw new Error(`${file} took what is not valid`);
    return [code === undefined ? { ...before, [file]: text } : before];
  };
}

/** A refusal of a parser looks like that of a call. */
function asCode(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    throw Object.assign(new Error('refused', { cause: error }), { code: 'EINVAL' });
  }
}

export const STEPS: readonly Step[] = [
  setting('filter'),
  setting('policy'),
  // At another place than the beginning: refused.
  (subject, payload, before) => {
    const at = 1 + (payload[0] ?? 0);
    const bytes = payload.length === 0 ? Buffer.from('{}') : payload;
    const write = (fd: number) => fs.writeSync(fd, bytes, 0, bytes.length, at);
    if (within(subject.path('filter'), O_RDWR, write) === undefined) {
      throw new Error('a write in the middle was taken');
    }
    return [before];
  },
  // Two writers of one file at once: one or the other has the last word.
  async (subject, payload, before) => {
    const path = subject.path('filter');
    const halves = [payload.subarray(0, payload.length / 2), payload.subarray(payload.length / 2)];
    const texts = [halves[0], Buffer.from('{"uid":1}'), halves[1]].map((bytes) =>
      Buffer.from(bytes ?? []),
    );
    const results = await Promise.all(
      texts.map((text) =>
        fs.promises.open(path, 'r+').then(async (file) => {
          try {
            await file.write(text, 0, text.length, 0);
            return text.length > 0;
          } catch (error) {
            codeOf(error);
            return false;
          } finally {
            await file.close();
          }
        }),
      ),
    );
    const taken = texts.filter((_, i) => results[i] === true);
    if (taken.length === 0) return [before];
    return taken.map((text) => ({ ...before, filter: text.toString('utf8') }));
  },
  (subject, payload, before) => {
    const file = must([...FILES, 'watch'][(payload[0] ?? 0) % (FILES.length + 1)], 'file');
    const known = COMMANDS[(payload[1] ?? 0) % COMMANDS.length] ?? 0;
    const command = (payload[2] ?? 0) < 128 || payload.length < 7 ? known : payload.readUInt32LE(3);
    const argument = Buffer.alloc(IOCTL_BYTES);
    payload.subarray(3).copy(argument);
    within(subject.path(file), O_RDONLY | O_NONBLOCK, (fd) => ioctl(fd, command, argument));
    return [before];
  },
  (subject, payload, before) => {
    within(subject.path('changelog'), O_RDWR, (fd) => fs.writeSync(fd, payload));
    return [before];
  },
  // A watch of one's own: a filter, or what is none, and a look.
  (subject, payload, before) => {
    within(subject.path('watch'), O_RDWR | O_NONBLOCK, (fd) => {
      tried(() => fs.writeSync(fd, payload));
      tried(() => fs.writeSync(fd, payload));
      tried(() => fs.readSync(fd, Buffer.alloc(4_096)));
    });
    return [before];
  },
  (subject, payload, before) => {
    const [offset, length] = numbersOf(payload);
    const file = must(FILES[(payload[0] ?? 0) % 3], 'file');
    const mode =
      (payload[1] ?? 0) % 4 === 0 ? (payload[2] ?? 0) : FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    within(subject.path(file), O_RDWR, (fd) => fallocate(fd, mode, offset, Math.max(1, length)));
    return [before];
  },
  (subject, payload, before) => {
    const [offset, length] = numbersOf(payload);
    const file = must(FILES[(payload[0] ?? 0) % FILES.length], 'file');
    const into = Buffer.alloc(1 + (length % 65_536));
    within(subject.path(file), O_RDONLY | O_NONBLOCK, (fd) => {
      const got = fs.readSync(fd, into, 0, into.length, offset);
      if (got > into.length) throw new Error(`${got} bytes into ${into.length}`);
    });
    tried(() => fs.truncateSync(subject.path(file), offset % 100));
    return [before];
  },
];

/** Two numbers, mostly small, sometimes as large as can be. */
function numbersOf(payload: Buffer): readonly [number, number] {
  const bytes = Buffer.alloc(12);
  payload.subarray(3).copy(bytes);
  const scale = (payload[3] ?? 0) > 200 ? 2 ** 20 : 1;
  const offset = (bytes.readUInt32LE(0) % 2_000) * scale * scale;
  return [offset, (bytes.readUInt32LE(4) % 4_000) * scale];
}
