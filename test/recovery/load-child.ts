/**
 * A program on one of several mounts, which must not notice that the server is killed.
 *
 *     node load-child.js MOUNTPOINT NUMBER SECONDS
 *
 * Keeps files open, writes and reads them by their descriptors, renames and unlinks them; and
 * together with the others counts in one file under a fcntl lock, and appends numbered lines
 * to another under a flock. Throws at whatever is not as it must be. Prints a newline now and
 * then, and at the end what there must be of it, as JSON.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { flock } from '../posix/libc.js';
import { Random } from '../support/random.js';
import { posixLock } from './posix-lock.js';

/** Written to stdout every so many steps. */
export const PROGRESS = '\n';
const PROGRESS_STEPS = 25;

const LOCK_EX = 2;
const LOCK_UN = 8;
const OPEN_MAX = 24;
const NAMES = 60;
const SIZES = [30, 2_000, 8_000, 20_000, 100_000];
const FILE_BYTES_MAX = 400_000;

export const COUNTER = 'counter';
export const LOG = 'log';

export interface LoadReport {
  readonly steps: number;
  /** The longest that one step took, in milliseconds. */
  readonly longestMs: number;
  readonly increments: number;
  readonly lines: number;
  /** Contents of its files, in base64, by name. */
  readonly files: Readonly<Record<string, string>>;
}

interface OpenFile {
  readonly fd: number;
  /** Undefined: it is unlinked. */
  name: string | undefined;
  contents: Buffer;
}

class Program {
  readonly #folder: string;
  readonly #number: number;
  readonly #random: Random;
  readonly #counter: number;
  readonly #log: number;
  readonly #files = new Map<string, Buffer>();
  readonly #open: OpenFile[] = [];
  #value = 0;
  #increments = 0;
  #lines = 0;

  constructor(mountpoint: string, number: number) {
    this.#number = number;
    this.#random = new Random(number + 1);
    this.#folder = join(mountpoint, `p${number}`);
    fs.mkdirSync(this.#folder);
    this.#counter = fs.openSync(join(mountpoint, COUNTER), fs.constants.O_RDWR);
    this.#log = fs.openSync(join(mountpoint, LOG), fs.constants.O_RDWR | fs.constants.O_APPEND);
  }

  step(): void {
    const dice = this.#random.below(100);
    if (dice < 10) this.#create();
    else if (dice < 18) this.#openAgain();
    else if (dice < 48) this.#write();
    else if (dice < 68) this.#check(this.#anyOpen());
    else if (dice < 75) this.#rename();
    else if (dice < 82) this.#unlink();
    else if (dice < 90) this.#close();
    else if (dice < 92) this.#sync();
    else if (dice < 96) this.#count();
    else this.#append();
  }

  end(steps: number, longestMs: number): LoadReport {
    for (const file of this.#open) this.#check(file);
    while (this.#open.length > 0) this.#close();
    const files: Record<string, string> = {};
    for (const [name, contents] of this.#files) files[name] = contents.toString('base64');
    const names = fs.readdirSync(this.#folder).sort();
    const wanted = [...this.#files.keys()].sort();
    must(names.join() === wanted.join(), `names: ${names}, wanted: ${wanted}`);
    return { steps, longestMs, increments: this.#increments, lines: this.#lines, files };
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  #anyOpen(): OpenFile | undefined {
    return this.#random.pick(this.#open);
  }

  #create(): void {
    if (this.#open.length >= OPEN_MAX) return;
    const name = `f${this.#random.below(NAMES)}`;
    if (this.#files.has(name)) return;
    const fd = fs.openSync(this.#path(name), 'wx+');
    const contents = Buffer.alloc(0);
    this.#files.set(name, contents);
    this.#open.push({ fd, name, contents });
  }

  #openAgain(): void {
    const name = this.#random.pick([...this.#files.keys()]);
    // One that is open already has its contents there.
    if (name === undefined || this.#open.length >= OPEN_MAX) return;
    if (this.#open.some((file) => file.name === name)) return;
    const contents = this.#files.get(name) ?? Buffer.alloc(0);
    this.#open.push({ fd: fs.openSync(this.#path(name), 'r+'), name, contents });
  }

  #write(): void {
    const file = this.#anyOpen();
    if (file === undefined) return;
    const length = 1 + this.#random.below(this.#random.pick(SIZES) ?? 1);
    const offset = this.#random.below(file.contents.length + 1);
    if (offset + length > FILE_BYTES_MAX) return;
    this.#value = (this.#value % 255) + 1;
    const data = Buffer.alloc(length, this.#value);
    const written = fs.writeSync(file.fd, data, 0, length, offset);
    must(written === length, `write of ${length}: ${written}`);
    const contents = Buffer.alloc(Math.max(file.contents.length, offset + length));
    file.contents.copy(contents);
    contents.set(data, offset);
    this.#became(file, contents);
  }

  #became(file: OpenFile, contents: Buffer): void {
    file.contents = contents;
    if (file.name !== undefined) this.#files.set(file.name, contents);
  }

  #check(file: OpenFile | undefined): void {
    if (file === undefined) return;
    const { size } = fs.fstatSync(file.fd);
    must(size === file.contents.length, `${file.name}: ${size} bytes of ${file.contents.length}`);
    const found = Buffer.alloc(size + 1);
    const count = fs.readSync(file.fd, found, 0, found.length, 0);
    must(count === size, `${file.name}: read ${count} bytes of ${size}`);
    must(found.subarray(0, size).equals(file.contents), `${file.name}: other contents`);
  }

  #rename(): void {
    const name = this.#random.pick([...this.#files.keys()]);
    const to = `f${this.#random.below(NAMES)}`;
    if (name === undefined || name === to) return;
    const contents = this.#files.get(name) ?? Buffer.alloc(0);
    fs.renameSync(this.#path(name), this.#path(to));
    for (const file of this.#open) if (file.name === to) file.name = undefined;
    for (const file of this.#open) if (file.name === name) file.name = to;
    this.#files.delete(name);
    this.#files.set(to, contents);
  }

  #unlink(): void {
    const name = this.#random.pick([...this.#files.keys()]);
    if (name === undefined) return;
    fs.unlinkSync(this.#path(name));
    this.#files.delete(name);
    for (const file of this.#open) if (file.name === name) file.name = undefined;
  }

  #close(): void {
    const [file] = this.#open.splice(this.#random.below(Math.max(1, this.#open.length)), 1);
    if (file !== undefined) fs.closeSync(file.fd);
  }

  #sync(): void {
    const file = this.#anyOpen();
    if (file !== undefined) fs.fsyncSync(file.fd);
  }

  #count(): void {
    posixLock(this.#counter, 'exclusive');
    const text = Buffer.alloc(16);
    const count = fs.readSync(this.#counter, text, 0, text.length, 0);
    const next = Number(text.toString('latin1', 0, count)) + 1;
    fs.writeSync(this.#counter, `${next}`.padStart(text.length, '0'), 0);
    posixLock(this.#counter, 'none');
    this.#increments++;
  }

  #append(): void {
    flock(this.#log, LOCK_EX);
    fs.writeSync(this.#log, `${this.#number} ${this.#lines}\n`);
    this.#lines++;
    flock(this.#log, LOCK_UN);
  }
}

function must(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(what);
}

function main([mountpoint = '', number = '0', seconds = '1']: readonly string[]): void {
  const program = new Program(mountpoint, Number(number));
  const end = performance.now() + Number(seconds) * 1_000;
  let longest = 0;
  let steps = 0;
  for (let now = performance.now(); now < end; steps++) {
    program.step();
    if (steps % PROGRESS_STEPS === 0) fs.writeSync(1, PROGRESS);
    const after = performance.now();
    longest = Math.max(longest, after - now);
    now = after;
  }
  fs.writeSync(1, JSON.stringify(program.end(steps, longest)));
}

if (process.argv[1]?.endsWith('load-child.js')) main(process.argv.slice(2));
