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
import { PLACES_WAITING_MAX, PLACES_WRITE_BYTES_MAX } from '../limits.js';
import type { ControlOpen } from './open.js';

export class PlacesQuery implements ControlOpen {
  readonly #mds: Connection;
  /** In the order they were written. */
  #waiting: Fid[] = [];
  /** Of the lines before them: what had no room in the last read, less than a line. */
  #rest: Buffer = Buffer.alloc(0);

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
    const lines = [this.#rest];
    let bytes = this.#rest.byteLength;
    let answered = 0;
    while (bytes < size) {
      const fid = this.#waiting[answered];
      if (fid === undefined) break;
      const line = this.#line(fid);
      if (typeof line === 'number') {
        // Told by the next read, if lines before it are still to be given.
        if (bytes > 0) break;
        this.#waiting.shift();
        return reply.error(line);
      }
      lines.push(line);
      bytes += line.byteLength;
      answered++;
    }
    if (answered > 0) this.#waiting = this.#waiting.slice(answered);
    const text = lines.length === 1 ? this.#rest : Buffer.concat(lines);
    reply.data(text.subarray(0, size));
    this.#rest = text.subarray(Math.min(size, bytes));
  }

  /** The server answers before the call returns. */
  #line(fid: Fid): Buffer | Errno {
    let line: Buffer | Errno = Errno.EIO;
    this.#mds.call('places', { fids: [fid] }, (errno, [places] = []) => {
      if (places !== undefined) line = Buffer.from(lineOf(places));
      else if (errno !== 0) line = errno;
    });
    return line;
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
