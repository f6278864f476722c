/**
 * One open of `.lustre/places`: FIDs are written, one per line, and for each of them a line
 * of JSON is read that says which names the object has when it is read:
 *
 *     {"fid":"[0x200000401:0x2:0x0]","mode":"0100644","places":[{"parent":"[0x200000007:0x1:0x0]","name":"a"}]}
 *
 * Names are written as in `stream.ndjson`. Of what is not there the mode is "0"; the root
 * has one place, without a parent. With nothing left to answer a read is at the end.
 */
import { renderBytes } from '../../base/byte-string.js';
import { Errno } from '../../base/errno.js';
import { type Fid, formatFid, parseFid } from '../../base/fid.js';
import type { InterruptibleDataReply, WriteReply } from '../../fuse/api.js';
import type { Connection, ObjectPlaces } from '../../rpc/messages.js';
import { PLACES_ASKED_MAX, PLACES_WAITING_MAX, PLACES_WRITE_BYTES_MAX } from '../limits.js';
import type { ControlOpen } from './open.js';

interface Read {
  readonly size: number;
  readonly reply: InterruptibleDataReply;
}

export class PlacesQuery implements ControlOpen {
  readonly #mds: Connection;
  /** In the order they were written. */
  #waiting: Fid[] = [];
  /** Lines before theirs that were not read yet. */
  #lines: Buffer[] = [];
  #bytes = 0;
  /** Reads are answered one after the other. */
  #reads: Read[] = [];
  #answering = false;

  constructor(mds: Connection) {
    this.#mds = mds;
  }

  /** EINVAL for text that is no list of FIDs, EBUSY while too many wait: then none is taken. */
  write(_offset: number, data: Uint8Array, reply: WriteReply): void {
    if (data.byteLength > PLACES_WRITE_BYTES_MAX) return reply.error(Errno.EINVAL);
    const fids = parseFids(Buffer.from(data).toString('latin1'));
    if (fids === undefined) return reply.error(Errno.EINVAL);
    if (this.#waiting.length + fids.length > PLACES_WAITING_MAX) return reply.error(Errno.EBUSY);
    this.#waiting.push(...fids);
    reply.written(data.byteLength);
  }

  /** EIO for an object of which the store cannot say it: its line is missing, the others follow. */
  read(_offset: number, size: number, _flags: number, reply: InterruptibleDataReply): void {
    this.#reads.push({ size, reply });
    if (!this.#answering) this.#answer();
  }

  /** One read after the other; a loop as long as the server answers at once. */
  #answer(): void {
    this.#answering = true;
    for (let read = this.#reads[0]; read !== undefined; read = this.#reads[0]) {
      if (this.#bytes < read.size && this.#waiting.length > 0) {
        if (!this.#fetch(read)) return;
        continue;
      }
      this.#reads.shift();
      read.reply.data(this.#take(read.size));
    }
    this.#answering = false;
  }

  /** Asks for the next lines. False if the answer comes later, which then goes on. */
  #fetch(read: Read): boolean {
    const fids = this.#waiting.slice(0, this.#mds.direct === true ? 1 : PLACES_ASKED_MAX);
    let isKnown = false;
    let isLate = false;
    const found = (errno: Errno | 0, places: readonly ObjectPlaces[] | undefined): void => {
      isKnown = true;
      this.#found(fids, read, errno, places);
      if (isLate) this.#answer();
    };
    this.#mds.call('places', { fids }, (errno, places) => {
      if (places !== undefined || fids.length === 1) return found(errno, places);
      // One of them cannot be said: the others can.
      fids.length = 1;
      this.#mds.call('places', { fids }, found);
    });
    isLate = !isKnown;
    return isKnown;
  }

  #found(
    fids: readonly Fid[],
    read: Read,
    errno: Errno | 0,
    places: readonly ObjectPlaces[] | undefined,
  ): void {
    if (places !== undefined) {
      this.#waiting = this.#waiting.slice(fids.length);
      for (const one of places) {
        const line = Buffer.from(lineOf(one));
        this.#lines.push(line);
        this.#bytes += line.byteLength;
      }
      return;
    }
    this.#reads.shift();
    // Told by the next read, if lines before it are still to be given.
    if (this.#bytes > 0) return read.reply.data(this.#take(read.size));
    this.#waiting.shift();
    read.reply.error(errno === 0 ? Errno.EIO : errno);
  }

  #take(size: number): Uint8Array {
    const [only] = this.#lines;
    const text = this.#lines.length === 1 && only !== undefined ? only : Buffer.concat(this.#lines);
    const rest = text.subarray(size);
    this.#lines = rest.byteLength === 0 ? [] : [rest];
    this.#bytes = rest.byteLength;
    return text.subarray(0, size);
  }
}

/** Undefined unless each line is a FID; the last may end without a newline. */
function parseFids(text: string): Fid[] | undefined {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const fids: Fid[] = [];
  for (const line of lines) {
    const fid = parseFid(line);
    if (fid === undefined) return undefined;
    fids.push(fid);
  }
  return fids;
}

function lineOf({ fid, mode, places }: ObjectPlaces): string {
  const names = places.map(({ parent, name }) => {
    const where = parent === 0 ? 'null' : `"${formatFid(parent)}"`;
    return `{"parent":${where},"name":${renderBytes(name)}}`;
  });
  const octal = mode === 0 ? '0' : `0${mode.toString(8)}`;
  return `{"fid":"${formatFid(fid)}","mode":"${octal}","places":[${names.join(',')}]}\n`;
}
