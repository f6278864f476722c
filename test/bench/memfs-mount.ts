/**
 * Mounts the memory filesystem until it is unmounted:
 *
 *     node memfs-mount.js MOUNTPOINT [--direct-io] [--busy-poll=US]
 *
 * Prints `mounted` once the mount answers.
 */
import { mountFuse, Session } from '../../src/fuse/index.js';
import { MemoryFilesystem } from './memfs.js';

const [mountpoint = '', ...flags] = process.argv.slice(2);
const busyPoll = flags.find((flag) => flag.startsWith('--busy-poll='))?.split('=')[1];

const device = await mountFuse({ mountpoint, fsname: 'memfs', subtype: 'memfs' });
const session = new Session(
  device,
  new MemoryFilesystem(flags.includes('--direct-io')),
  busyPoll === undefined ? {} : { busyPollUs: Number(busyPoll) },
);
session.start();
await session.connected;
process.stdout.write('mounted\n');
const end = await session.ended;
if (end instanceof Error) throw end;
