/** The package fuse-native for tests: it is no dependency of the project, and lies aside. */
import { join } from 'node:path';
import { FOLDER_VARIABLE } from '../../src/fuse-native/binding.js';
import { projectRoot } from './project-root.js';

/** It brings a binary for x64 only. */
export const HAS_FUSE_NATIVE = process.arch === 'x64';

/** Lets this process and its children find the package that scripts/setup.mjs installed. */
export function useFuseNative(): void {
  const folder = join(projectRoot(), 'scripts', 'fuse-native', 'node_modules', 'fuse-native');
  process.env[FOLDER_VARIABLE] ??= folder;
}
