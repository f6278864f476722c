/**
 * Which names objects have, by their FIDs: `.lustre/places` of a mount. It says what is so
 * at that moment; whoever needs it for a place in the log reads the records since then.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseBytes } from '../base/byte-string.js';
import { type Fid, formatFid, parseFid } from '../base/fid.js';
import { FeedError, fromNodeError } from './errors.js';
import { asObject, FieldError, type Json, text } from './json.js';
import { PLACES_FIDS_PER_WRITE, PLACES_READ_BYTES } from './limits.js';

const PLACES_FILE = '.lustre/places';

export interface PlaceOfObject {
  /** The directory; 0 of the root, which has no name. */
  readonly parent: Fid | 0;
  /** Binary string. */
  readonly name: string;
}

export interface PlacesOfObject {
  readonly fid: Fid;
  /** Type and permission bits; 0 of an object that is not there. */
  readonly mode: number;
  /** All its names, the primary one first; none if it is not there or has none. */
  readonly places: readonly PlaceOfObject[];
}

/**
 * The names of these objects, in their order. Throws FeedError: `ENOENT` when it is no feedfs
 * mount, `EACCES`, `EIO` when the store is damaged, `BAD_RECORD` for an answer that is none.
 */
export async function placesOf(mount: string, fids: readonly Fid[]): Promise<PlacesOfObject[]> {
  const file = path.join(mount, PLACES_FILE);
  const found: PlacesOfObject[] = [];
  try {
    const handle = await fs.promises.open(file, fs.constants.O_RDWR);
    try {
      for (let at = 0; at < fids.length; at += PLACES_FIDS_PER_WRITE) {
        const some = fids.slice(at, at + PLACES_FIDS_PER_WRITE);
        await handle.write(`${some.map(formatFid).join('\n')}\n`);
        for (const line of await answer(handle)) found.push(parsePlaces(line, file));
      }
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fromNodeError(error, file);
  }
  if (found.some(({ fid }, i) => fid !== fids[i]) || found.length !== fids.length) {
    throw new FeedError('BAD_RECORD', file, `${file} does not answer what it was asked`);
  }
  return found;
}

/** The lines that wait, all of them. */
async function answer(handle: fs.promises.FileHandle): Promise<string[]> {
  const chunks: Buffer[] = [];
  for (;;) {
    const buffer = Buffer.allocUnsafe(PLACES_READ_BYTES);
    const { bytesRead } = await handle.read(buffer);
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
  }
  return Buffer.concat(chunks).toString('utf8').split('\n').slice(0, -1);
}

function parsePlaces(line: string, file: string): PlacesOfObject {
  try {
    const json = asObject(JSON.parse(line), 'line');
    const { places } = json;
    if (!Array.isArray(places)) throw new FieldError('member "places" is not an array');
    return {
      fid: fidOf(json, 'fid'),
      mode: Number.parseInt(text(json, 'mode'), 8),
      places: places.map((place) => parsePlace(asObject(place, 'places'))),
    };
  } catch (error) {
    if (!(error instanceof FieldError) && !(error instanceof SyntaxError)) throw error;
    const message = `not a line of ${file}: ${error.message}`;
    throw new FeedError('BAD_RECORD', file, message, { cause: error });
  }
}

function parsePlace(json: Json): PlaceOfObject {
  const name = parseBytes(json.name);
  if (name === undefined) throw new FieldError('member "name" is not a name');
  return { parent: json.parent === null ? 0 : fidOf(json, 'parent'), name };
}

function fidOf(json: Json, key: string): Fid {
  const fid = parseFid(text(json, key));
  if (fid === undefined) throw new FieldError(`member "${key}" is not a FID`);
  return fid;
}
