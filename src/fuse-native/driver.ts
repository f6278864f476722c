/**
 * A mount served by libfuse 2 through the npm package fuse-native, under the same
 * handlers as the session of ../fuse. What it cannot carry is in
 * native-notes/fuse-native.md. The rules against deadlock of ../fuse/index.ts hold.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { must } from '../base/assert.js';
import type { Clock } from '../base/time.js';
import type { Handlers, LoopHooks } from '../fuse/api.js';
import { MountError } from '../fuse/mount-error.js';
import { attributeOperations } from './attributes.js';
import type { FuseNative, NativeMount } from './binding.js';
import { Bridge } from './bridge.js';
import { fileOperations, type MayOpen } from './files.js';
import { Handles } from './handles.js';
import { END_CHECK_MS } from './limits.js';
import { nameOperations } from './names.js';
import { type DriverMountOptions, optionArgument } from './options.js';
import { type Times, timesOf } from './utimens.js';
import { sizedXattrOperations, xattrOperations } from './xattrs.js';

/** Of utimens in fuse-native.c. */
const UTIMENS_OPCODE = 12;
const DEVICE = '/dev/fuse';

export interface DriverOptions extends DriverMountOptions {
  readonly mountpoint: string;
  readonly handlers: Handlers;
  readonly clock: Clock;
  readonly hooks: LoopHooks;
  /** Whether the object can be opened without poll, lseek and interrupts. */
  readonly mayOpen: MayOpen;
  readonly onFault: (operation: string, error: unknown) => void;
}

export interface DriverMount {
  /** The device is closed: no request comes any more. */
  readonly ended: Promise<void>;
}

/** Mounts, and resolves when the kernel has connected. Throws MountError. */
export async function mountFuseNative(
  native: FuseNative,
  options: DriverOptions,
): Promise<DriverMount> {
  const { mountpoint, handlers, onFault } = options;
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const handles = new Handles();
  let times: Times | undefined;
  const bridge = new Bridge({
    handlers,
    // Nobody else is let in; of the process nothing is told.
    caller: { ...owner, pid: 0 },
    onFault,
    onRequest: ticking(options),
  });
  const mount = native.create(mountpoint, {
    ...nameOperations(bridge, handles),
    ...fileOperations(bridge, handles, options.mayOpen),
    ...attributeOperations(bridge, () => times),
    ...xattrOperations(bridge),
  });
  Object.assign(mount, sizedXattrOperations(bridge));
  const argument = optionArgument(options);
  mount._fuseOptions = () => argument;
  const utimens = must(mount._handlers[UTIMENS_OPCODE], 'utimens of fuse-native');
  mount._handlers[UTIMENS_OPCODE] = (frame, opcode, ...args) => {
    times = timesOf(frame, Number(args[1]), Number(args[2]));
    utimens(frame, opcode, ...args);
  };
  const before = devices();
  await connect(mount, mountpoint);
  const device = devices().find((fd) => !before.includes(fd));
  return {
    ended: endOf(must(device, 'descriptor of the device')).then(() => {
      native.release(mount, mountpoint);
    }),
  };
}

function connect(mount: NativeMount, mountpoint: string): Promise<void> {
  return new Promise((resolve, reject) => {
    mount.mount((error) => {
      if (error === null || error === undefined) return resolve();
      const message = `libfuse could not mount on ${mountpoint}: ${error.message}`;
      reject(new MountError('failed', message, { cause: error }));
    });
  });
}

/** Commits and the like are due between requests; several requests share one look. */
function ticking({ hooks, clock }: DriverOptions): () => void {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    setImmediate(() => {
      due = false;
      hooks.tick(clock.monotonicUs());
    });
  };
}

/** Descriptors of this process that are the FUSE device. */
function devices(): string[] {
  return readdirSync('/proc/self/fd').filter(isDevice);
}

function isDevice(fd: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === DEVICE;
  } catch {
    return false;
  }
}

/** libfuse tells nobody when its loop ends, but it closes the device. */
function endOf(device: string): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (isDevice(device)) return;
      clearInterval(timer);
      resolve();
    }, END_CHECK_MS);
  });
}
