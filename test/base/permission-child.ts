/**
 * Says what it may do with files: becomes the user of its first argument (JSON of uid, gid,
 * groups) for good, then prints for each path of its second one the permissions that
 * access(2) grants: a digit of r 4, w 2, x 1, and whether all of them go together.
 */
import * as fs from 'node:fs';

const [who, paths] = process.argv.slice(2).map((text) => JSON.parse(text) as unknown) as [
  { uid: number; gid: number; groups: number[] },
  string[],
];
process.setgroups?.(who.groups);
process.setgid?.(who.gid);
process.setuid?.(who.uid);

function may(path: string, mask: number): boolean {
  try {
    fs.accessSync(path, mask);
    return true;
  } catch {
    return false;
  }
}

const answers = paths.map((path) => [1, 2, 3, 4, 5, 6, 7].map((mask) => may(path, mask)));
process.stdout.write(JSON.stringify(answers));
