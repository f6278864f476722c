/** Access times as mount options ask for them: the kernel leaves them to the filesystem. */
import type { AccessPolicy } from '../client/access-times.js';

/** The later option counts. What mount(8) calls strictatime is relatime here. */
export function accessPolicy(options: readonly string[], readOnly: boolean): AccessPolicy {
  let files = !readOnly;
  let directories = true;
  for (const option of options) {
    switch (option) {
      case 'noatime':
        files = false;
        break;
      case 'atime':
      case 'relatime':
      case 'strictatime':
        files = !readOnly;
        break;
      case 'nodiratime':
      case 'diratime':
        directories = option === 'diratime';
        break;
    }
  }
  if (!files) return 'noatime';
  return directories ? 'relatime' : 'nodiratime';
}
