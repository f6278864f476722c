/** The mount table, as tests and the test runner read it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface MountLine {
  readonly mountpoint: string;
  readonly type: string;
}

/** All mounts of this mount namespace, in the order they were made. */
export function mounts(): MountLine[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, mountpoint = '', type = ''] = line.split(' ');
      return { mountpoint: unescapeOctal(mountpoint), type };
    });
}

/** Mounts on `folder` or below it, innermost first. */
export function mountsUnder(folder: string): MountLine[] {
  return mounts()
    .filter(({ mountpoint }) => mountpoint === folder || mountpoint.startsWith(`${folder}/`))
    .reverse();
}

export function isMounted(mountpoint: string): boolean {
  return mounts().some((line) => line.mountpoint === mountpoint);
}

/** Takes a mount out of the tree at once, whoever uses it; the last resort. */
export function detach(mountpoint: string): void {
  const root = process.getuid?.() === 0;
  const [command, args] = root ? ['umount', ['-l']] : ['fusermount3', ['-u', '-z']];
  spawnSync(command, [...args, mountpoint], { stdio: 'ignore' });
}

/** Blanks and backslashes of a path stand in the mount table as \ooo. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_all, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
