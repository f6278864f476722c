/** To whom the files of a store belong, whoever makes them. */
import { chownSync, mkdirSync, statSync } from 'node:fs';
import { Errno, errnoOf } from '../base/errno.js';

/** Undefined: to whoever makes them. */
export type Owner = { readonly uid: number; readonly gid: number } | undefined;

/** Root working beside a server of another user makes what that user can use. */
export function ownerToGive(directory: string): Owner {
  if (process.geteuid?.() !== 0) return undefined;
  const { uid, gid } = statSync(directory);
  return uid === 0 ? undefined : { uid, gid };
}

/** One that is there already is fine. Not `recursive`, which hides why it failed behind an ENOENT. */
export function makeDirectory(path: string, owner: Owner): void {
  try {
    mkdirSync(path, { mode: 0o700 });
    if (owner !== undefined) chownSync(path, owner.uid, owner.gid);
  } catch (error) {
    if (errnoOf(error) !== Errno.EEXIST) throw error;
  }
}
