/** What a call that fails must leave alone, and how to see that time has passed. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { fails } from './case.js';

/** Everything that stat(2) tells of an object but its atime. */
export function describe(path: string): string {
  const s = fs.lstatSync(path, { bigint: true });
  return [s.ino, s.mode.toString(8), s.nlink, s.uid, s.gid, s.rdev, s.size, s.mtimeNs, s.ctimeNs]
    .map(String)
    .join(' ');
}

/** The description of a directory and all below it, one line for each name. */
export function picture(dir: string): string[] {
  const lines = [`${dir}: ${describe(dir)}`];
  for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) lines.push(...picture(path));
    else lines.push(`${path}: ${describe(path)}`);
  }
  return lines.sort();
}

/** Asserts that `call` fails as told, and that nothing in `dir` is another than before, times included. */
export function failsCleanly(
  code: string | readonly string[],
  dir: string,
  call: () => unknown,
): void {
  const before = picture(dir);
  fails(code, call);
  assert.equal(picture(dir), before);
}

/** As {@link failsCleanly}, for a call that succeeds without doing anything. */
export function changesNothing(dir: string, call: () => unknown): void {
  const before = picture(dir);
  call();
  assert.equal(picture(dir), before);
}

/**
 * Returns once a change gets a ctime after that of `path`: some filesystems take
 * their times from a clock that ticks every few milliseconds.
 */
export function passTick(path: string): void {
  const reference = fs.lstatSync(path, { bigint: true }).ctimeNs;
  const probe = `${path}.probe`;
  fs.writeFileSync(probe, '');
  let now = 0n;
  for (let mode = 0; now <= reference; mode ^= 1) {
    fs.chmodSync(probe, 0o600 | mode);
    now = fs.lstatSync(probe, { bigint: true }).ctimeNs;
  }
  fs.unlinkSync(probe);
}
