/** What a record says of names: which object gained or lost which. */
import type { Fid } from '../../base/fid.js';
import type { ChangeRecord } from '../../feed/record.js';
import { type NameKey, nameKey } from './name-key.js';

export type NameEvent = (fid: Fid, key: NameKey, gained: boolean) => void;

/** In an order in which no name belongs to two objects at any moment. */
export function nameEvents(record: ChangeRecord, each: NameEvent): void {
  const { fid } = record;
  switch (record.op) {
    case 'create':
    case 'mkdir':
    case 'mknod':
    case 'symlink':
    case 'link':
      return each(fid, nameKey(record.parent, record.name), true);
    case 'unlink':
    case 'rmdir':
      return each(fid, nameKey(record.parent, record.name), false);
    case 'rename': {
      const { over, exchanged } = record;
      const from = nameKey(record.parent, record.name);
      const to = nameKey(record.newParent, record.newName);
      each(fid, from, false);
      if (over !== undefined) each(over.fid, to, false);
      if (exchanged !== undefined) each(exchanged, to, false);
      each(fid, to, true);
      if (exchanged !== undefined) each(exchanged, from, true);
      return;
    }
    default:
      return;
  }
}
