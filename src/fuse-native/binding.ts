/**
 * The npm package fuse-native: what of it is used, and loading it. Loaded when the
 * driver is asked for and never otherwise, because it is not a dependency of feedfs.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { MountError } from '../fuse/mount-error.js';
import { FUSE_NATIVE_VERSION } from './limits.js';

/** Names the package's folder where it is not beside feedfs. */
export const FOLDER_VARIABLE = 'FEEDFS_FUSE_NATIVE';

/** Ends an operation: a count or 0, or a negative errno, and what belongs to it. */
export type Callback = (result: number, ...values: unknown[]) => void;
/** How the addon calls an operation: with its own memory of the request, the opcode, the arguments. */
export type NativeHandler = (frame: Buffer, opcode: number, ...args: unknown[]) => void;
/** The arguments differ from operation to operation: names.ts, files.ts, attributes.ts, xattrs.ts. */
export type NativeOperations = Readonly<Record<string, (...args: never[]) => void>>;

/** One mount. What begins with an underscore is not the package's public interface. */
export interface NativeMount {
  mount(done: (error: Error | null | undefined) => void): void;
  readonly _thread: Buffer;
  readonly _handlers: NativeHandler[];
  _fuseOptions: () => string;
  _op_getxattr: (done: Callback, path: string, name: string, room: Buffer) => void;
  _op_listxattr: (done: Callback, path: string, room: Buffer) => void;
}

export interface FuseNative {
  readonly create: (mountpoint: string, operations: NativeOperations) => NativeMount;
  /** Lets the process end although the package was used. */
  readonly release: (mount: NativeMount, mountpoint: string) => void;
}

type Constructor = new (
  mountpoint: string,
  operations: NativeOperations,
  options: { readonly timeout: false },
) => NativeMount;
interface Addon {
  fuse_native_unmount(mountpoint: string, thread: Buffer): void;
}

/** Throws MountError 'no-driver' with what to install. */
export function loadFuseNative(env: NodeJS.ProcessEnv = process.env): FuseNative {
  const require = createRequire(import.meta.url);
  const manifest = find(require, env[FOLDER_VARIABLE]);
  const folder = dirname(manifest);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version?: string };
  if (version !== FUSE_NATIVE_VERSION) {
    throw missing(`fuse-native ${version} is installed, and only ${FUSE_NATIVE_VERSION} is known`);
  }
  const own = createRequire(manifest);
  try {
    const Fuse = own(folder) as Constructor;
    const addon = (own('node-gyp-build') as (folder: string) => Addon)(folder);
    return {
      // Its own time limit would answer ETIMEDOUT to what merely takes long.
      create: (mountpoint, operations) => new Fuse(mountpoint, operations, { timeout: false }),
      release: (mount, mountpoint) => addon.fuse_native_unmount(mountpoint, mount._thread),
    };
  } catch (error) {
    const said = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    if (!said.includes('libfuse')) throw missing(`fuse-native cannot be loaded: ${said}`, error);
    throw new MountError(
      'no-driver',
      `fuse-native needs libfuse.so.2: install it with apt-get install libfuse2 (${said})`,
      { cause: error },
    );
  }
}

function find(require: NodeJS.Require, folder: string | undefined): string {
  try {
    return require.resolve(
      folder === undefined ? 'fuse-native/package.json' : join(folder, 'package.json'),
    );
  } catch (error) {
    throw missing('fuse-native is not installed', error);
  }
}

function missing(what: string, cause?: unknown): MountError {
  const advice =
    `install it with npm install --prefix DIR fuse-native@${FUSE_NATIVE_VERSION}, set ` +
    'FEEDFS_FUSE_NATIVE=DIR/node_modules/fuse-native, and apt-get install libfuse2';
  return new MountError('no-driver', `${what}: ${advice}`, { cause });
}
