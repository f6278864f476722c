/** What is still to be done with an object before a baseline ends: kept as JSON in the state. */
import type { WholeObject } from '../target.js';
import type { FileType, StepAttributes, StepXattr } from './steps.js';

export const PERMISSIONS = 0o7777;

export interface Late {
  readonly type: FileType;
  readonly attributes: StepAttributes;
  readonly xattrs: readonly StepXattr[];
  readonly exactXattrs: boolean;
  readonly size: number;
  /** Contents of it are to come. */
  readonly awaits: boolean;
  /** Also after they came: until all its names are what they are to be, it gets no rights. */
  readonly stays: boolean;
}

interface LateRow extends Omit<Late, 'xattrs'> {
  readonly xattrs: readonly (readonly [string, string])[];
}

export function encodeLate({ xattrs, ...rest }: Late): Buffer {
  const encoded = xattrs.map(
    ({ name, value }) => [name, Buffer.from(value ?? []).toString('base64')] as const,
  );
  const row: LateRow = { ...rest, xattrs: encoded };
  return Buffer.from(JSON.stringify(row));
}

export function decodeLate(bytes: Buffer): Late {
  const { xattrs, ...rest } = JSON.parse(bytes.toString()) as LateRow;
  return {
    ...rest,
    xattrs: xattrs.map(([name, value]) => ({ name, value: Buffer.from(value, 'base64') })),
  };
}

export function attributesOf({ object }: WholeObject): StepAttributes {
  const { mode, uid, gid, atime, mtime, ctime } = object.attributes;
  return { mode: mode & PERMISSIONS, uid, gid, atime, mtime, ctime };
}

export function xattrsOf({ xattrs }: WholeObject): readonly StepXattr[] {
  return xattrs.map(({ name, value }) => ({ name, value }));
}
