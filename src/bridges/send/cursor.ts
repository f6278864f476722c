/**
 * How far the streams reach that were written to regular files: nobody confirms those, and the
 * next one shall begin behind them. One small file per feed in the user's state directory.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { asObject, FieldError, integer, text } from '../../consumer/json.js';
import type { LogPlace } from '../../rpc/baseline.js';
import { placeFromJson, placeToJson } from '../stream/header.js';
import { CURSOR_BYTES_MAX } from './limits.js';

const VERSION = 1;

/** Where the cursor of that feed is kept. */
export function cursorFile(
  env: Readonly<Record<string, string | undefined>>,
  filesystem: string,
  feed: number,
): string {
  const given = env.XDG_STATE_HOME;
  // A relative path there means nothing, says the specification of base directories.
  const state =
    given !== undefined && path.isAbsolute(given)
      ? given
      : path.join(env.HOME ?? '/', '.local/state');
  return path.join(state, 'feedfs/send', `${filesystem}-${feed}.json`);
}

/** Undefined if there is none. Throws an Error that names the file for one that is unreadable. */
export function readCursor(file: string, filesystem: string, feed: number): LogPlace | undefined {
  let content: string;
  try {
    if (fs.statSync(file).size > CURSOR_BYTES_MAX) throw new FieldError('it is too long');
    content = fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw unusable(file, error);
  }
  try {
    const json = asObject(JSON.parse(content), 'cursor');
    if (integer(json, 'version') !== VERSION) throw new FieldError('it has another version');
    if (text(json, 'filesystem') !== filesystem || integer(json, 'feed') !== feed) {
      throw new FieldError('it is that of another feed');
    }
    return placeFromJson(json.place, 'place');
  } catch (error) {
    throw unusable(file, error);
  }
}

/** Durable when it returns, and never half written. */
export function writeCursor(file: string, filesystem: string, feed: number, place: LogPlace): void {
  const json = { version: VERSION, filesystem, feed, place: placeToJson(place) };
  const directory = path.dirname(file);
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}`;
  const fd = fs.openSync(temporary, 'w', 0o600);
  try {
    fs.writeSync(fd, `${JSON.stringify(json)}\n`);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  fs.renameSync(temporary, file);
  const folder = fs.openSync(directory, 'r');
  try {
    fs.fsyncSync(folder);
  } finally {
    fs.closeSync(folder);
  }
}

function unusable(file: string, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Error(`${file} cannot be used (${why}): remove it, or say where to begin`, { cause });
}
