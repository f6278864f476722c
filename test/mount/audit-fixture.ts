/** A mount on which programs do things, and a feed that is told of their accesses. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Fid, formatFid } from '../../src/base/fid.js';
import { type TestMount, withMount } from '../support/mount.js';
import { run, until } from '../support/processes.js';
import { USER } from './ordinary-user.js';

const { O_RDONLY, O_NONBLOCK } = fs.constants;
const FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [0o100, 'creat'],
  [0o1000, 'trunc'],
  [0o200000, 'directory'],
  [0x20, 'exec'],
];
export const READ_BYTES = 64 * 1024;
export const CAPABILITY = 'security.capability';
/** Of the attribute whose reading ends what is looked at. */
const END = 'user.end';

export interface Line {
  readonly op: string;
  readonly fid: string;
  readonly uid: number;
  readonly pid: number;
  readonly jobid: string;
  readonly xattr?: { readonly name: string };
  readonly access: {
    readonly flags?: number;
    readonly errno: number;
    readonly repeated: number;
    readonly directory: boolean;
  };
}

/** A mount with a feed that asks for accesses, and names for what they are about. */
export class Audit {
  readonly mount: TestMount;
  readonly #feed: string;
  readonly #reader: number;
  readonly #names = new Map<string, string>();
  #text = '';

  constructor(mount: TestMount, filter = '{"ops":["accesses"]}') {
    this.mount = mount;
    this.#feed = mount.feed('audit');
    fs.writeFileSync(join(this.#feed, 'filter'), filter);
    this.#reader = fs.openSync(join(this.#feed, 'stream.ndjson'), O_RDONLY | O_NONBLOCK);
  }

  close(): void {
    fs.closeSync(this.#reader);
  }

  end(): void {
    this.close();
    fs.rmdirSync(this.#feed);
  }

  path(name: string): string {
    return join(this.mount.mnt, name);
  }

  /** Runs a program; the text goes for the files that it names. */
  async run(command: string, args: readonly string[], as: 'root' | 'user' = 'root'): Promise<void> {
    const who = as === 'user' ? USER : {};
    await run(command, args, {
      cwd: '/',
      env: { MNT: this.mount.mnt, PATH: '/usr/bin:/bin' },
      ...who,
    });
  }

  /** The lines so far. */
  lines(): Line[] {
    const buffer = Buffer.alloc(READ_BYTES);
    for (;;) {
      try {
        const length = fs.readSync(this.#reader, buffer);
        this.#text += buffer.toString('utf8', 0, length);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        const lines = this.#text.split('\n');
        return lines
          .slice(0, -1)
          .filter(Boolean)
          .map((line) => JSON.parse(line) as Line);
      }
    }
  }

  /** What was told since the last call, one text each. */
  async told(): Promise<string[]> {
    await this.run('getfattr', ['-n', END, this.path('end')]);
    const isEnd = ({ xattr }: Line) => xattr?.name === END;
    await until(() => this.lines().some(isEnd), 'the last record');
    const lines = this.lines();
    this.#text = '';
    return lines.filter((line) => !isEnd(line)).map((line) => this.#describe(line));
  }

  #describe({ op, fid, jobid, xattr, access }: Line): string {
    const { flags, errno, repeated, directory } = access;
    const mode = flags === undefined ? '' : ` ${['r', 'w', 'rw', 'rw'][flags & 3]}`;
    const bits = FLAGS.flatMap(([bit, name]) => ((flags ?? 0) & bit ? [` ${name}`] : [])).join('');
    const more = [
      xattr === undefined ? '' : ` ${xattr.name}`,
      errno === 0 ? '' : ` errno ${errno}`,
      repeated === 0 ? '' : ` x${repeated}`,
    ].join('');
    const kind = directory ? '/' : '';
    return `${op} ${this.#name(fid)}${kind}${mode}${bits}${more} by ${jobid}`;
  }

  #name(fid: string): string {
    if (!this.#names.has(fid)) this.#learn();
    return this.#names.get(fid) ?? fid;
  }

  /** Names of everything, found without an open. */
  #learn(): void {
    for (const one of ['', ...FILES, ...DIRECTORIES.flatMap((dir) => [dir, `${dir}/file`])]) {
      const ino = fs.lstatSync(this.path(one), { throwIfNoEntry: false })?.ino;
      if (ino !== undefined) this.#names.set(formatFid(ino as Fid), one === '' ? 'root' : one);
    }
  }
}

const FILES = ['public', 'private', 'readonly', 'script', 'end', 'new'];
const DIRECTORIES = ['closed', 'searched', 'listed'];
/** {@link USER} in a job id. */
export const NOBODY = `${USER.uid}`;

/** Files of root for programs to try; the audit begins after they are made. */
export async function prepare(mount: TestMount): Promise<void> {
  const make = (name: string, mode: number, text = 'text\n') => {
    fs.writeFileSync(join(mount.mnt, name), text);
    fs.chmodSync(join(mount.mnt, name), mode);
  };
  make('public', 0o644);
  make('private', 0o600);
  make('readonly', 0o644);
  make('script', 0o644, '#!/bin/sh\nexit 0\n');
  make('end', 0o644);
  for (const [name, mode] of [
    ['closed', 0o700],
    ['searched', 0o711],
    ['listed', 0o744],
  ] as const) {
    fs.mkdirSync(join(mount.mnt, name));
    make(`${name}/file`, 0o644);
    fs.chmodSync(join(mount.mnt, name), mode);
  }
  for (const name of ['end', 'public']) {
    const attribute = name === 'end' ? END : 'user.tag';
    await run('setfattr', ['-n', attribute, '-v', 'x', join(mount.mnt, name)]);
  }
}

/** Runs `use` on a mount with those files, and a feed that asks. */
export function withAudit(use: (audit: Audit) => Promise<void>): Promise<void> {
  return withMount(async (mount) => {
    await prepare(mount);
    const audit = new Audit(mount);
    try {
      await use(audit);
    } finally {
      audit.close();
    }
  });
}
