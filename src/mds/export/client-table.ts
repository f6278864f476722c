/**
 * The clients in the store: those that may come back after a restart, and what each was
 * answered last in each of its slots. What was answered is in the same transaction as the
 * change that it tells of, so that a change is made once, however often it is asked for.
 */
import { Errno, FsError } from '../../base/errno.js';
import type { ClientId, Slot } from '../../rpc/session.js';
import type { Participant } from '../../store/group-commit.js';
import { clientKey, partsOfClientKey, SLOT_KEY_BYTES, slotKey } from '../../store/keys.js';
import type { Table } from '../../store/table.js';
import type { KnownClient, SlotRow } from './parts.js';
import { readSlotRow } from './slot-row.js';

/** Behind every slot. */
const SLOT_END = 0xffff;

export class ClientTable implements Participant {
  readonly #table: Table;
  readonly #removed = new Set<ClientId>();
  readonly #clients = new Map<ClientId, KnownClient>();
  /** Encoded rows, which their owners may change until the next commit. */
  readonly #slots = new Map<ClientId, Map<Slot, Buffer>>();

  constructor(table: Table) {
    this.#table = table;
  }

  /** As they were committed last. FsError(EIO) if one is damaged. */
  stored(): KnownClient[] {
    const clients: KnownClient[] = [];
    for (const { key, value } of this.#table.entries({})) {
      const { client, slot } = partsOfClientKey(key);
      if (slot === undefined) clients.push(readClient(client as ClientId, value));
    }
    return clients;
  }

  /** What was answered to a client before this run. FsError(EIO). */
  slotsOf(client: ClientId): ReadonlyMap<Slot, SlotRow> {
    const rows = new Map<Slot, SlotRow>();
    for (const { key, value } of this.#table.entries(rangeOf(client))) {
      const { slot } = partsOfClientKey(key);
      if (slot === undefined) continue;
      const row = readSlotRow(value);
      if (row === undefined) throw damaged(client);
      rows.set(slot as Slot, row);
    }
    return rows;
  }

  /** It is in the store after the next commit. */
  add(known: KnownClient): void {
    this.#clients.set(known.client, known);
  }

  /** `row`: encoded; as it is when the next commit starts. */
  answered(client: ClientId, slot: Slot, row: Buffer): void {
    let slots = this.#slots.get(client);
    if (slots === undefined) {
      slots = new Map();
      this.#slots.set(client, slots);
    }
    slots.set(slot, row);
  }

  /** All of it. */
  remove(client: ClientId): void {
    this.#clients.delete(client);
    this.#slots.delete(client);
    this.#removed.add(client);
  }

  collect(): void {
    for (const client of this.#removed) {
      for (const key of [...this.#table.keys(rangeOf(client))]) this.#table.remove(key);
    }
    for (const known of this.#clients.values()) {
      this.#table.put(clientKey(known.client), encodeClient(known));
    }
    for (const [client, slots] of this.#slots) {
      for (const [slot, row] of slots) this.#table.put(slotKey(client, slot), row);
    }
  }

  committed(): void {
    this.#removed.clear();
    this.#clients.clear();
    this.#slots.clear();
  }

  flushed(): void {}
}

/** Of a client's row and its slots. */
function rangeOf(client: ClientId): { start: Buffer; end: Buffer } {
  const end = Buffer.alloc(SLOT_KEY_BYTES);
  end.set(slotKey(client, SLOT_END));
  return { start: Buffer.from(clientKey(client)), end };
}

export function encodeClient({ name, identity, stale }: KnownClient): Buffer {
  return Buffer.from(JSON.stringify({ name, identity, ...(stale ? { stale } : {}) }));
}

/** Undefined for bytes that are none. */
export function decodeClient(client: ClientId, value: Buffer): KnownClient | undefined {
  let row: { name?: unknown; identity?: unknown; stale?: unknown };
  try {
    row = Object(JSON.parse(value.toString('utf8')));
  } catch {
    return undefined;
  }
  const { name, identity, stale } = row;
  if (typeof name !== 'string' || typeof identity !== 'string') return undefined;
  return { client, name, identity, ...(stale === true ? { stale } : {}) };
}

function readClient(client: ClientId, value: Buffer): KnownClient {
  const known = decodeClient(client, value);
  if (known === undefined) throw damaged(client);
  return known;
}

function damaged(client: ClientId): FsError {
  return new FsError(Errno.EIO, `what is stored of client ${client} is damaged; run feedfs fsck`);
}
