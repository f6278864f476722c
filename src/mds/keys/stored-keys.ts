/**
 * The keys of a store: which one signs, which ones still count, and what they sign. A key
 * takes the place of the one before on the order of days, and that one counts for some more,
 * so that whoever comes back in time needs nothing but what it has.
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { must } from '../../base/assert.js';
import type { Clock } from '../../base/time.js';
import type { Capability, ClientId, KeyId, Mac, Payload, Receipt, Xid } from '../../rpc/session.js';
import type { KeyRing } from '../export/parts.js';
import { type Key, readKeys, writeKeys } from './key-file.js';
import {
  CAPABILITY_LIFE_SEC,
  KEY_GRACE_SEC,
  KEY_ROTATE_SEC,
  KEYS_MAX,
  SECRET_BYTES,
} from './limits.js';
import { capabilityBytes, receiptHead } from './signed-bytes.js';

export interface StoredKeysOptions {
  /** The file; made if it is not there. */
  readonly path: string;
  /** Its wall-clock time counts: the keys outlive the server. */
  readonly clock: Clock;
  readonly random: (bytes: number) => Uint8Array;
}

interface UsableKey extends Key {
  readonly object: KeyObject;
}

export class StoredKeys implements KeyRing {
  readonly #options: StoredKeysOptions;
  readonly #keys = new Map<KeyId, UsableKey>();
  #current: UsableKey;

  /** StoreError(not-permitted, corrupt, newer-format). */
  constructor(options: StoredKeysOptions) {
    this.#options = options;
    const keys = readKeys(options.path);
    this.#current = keys === undefined ? this.#replace([]) : this.#take(keys);
  }

  get current(): KeyId {
    return this.#current.id;
  }

  /** Of those that count or sign. */
  get count(): number {
    return this.#keys.size;
  }

  /** A new key signs from here on. Throws what the disk says; then the old one goes on. */
  rotate(): void {
    this.#replace([...this.#keys.values()]);
  }

  /** Rotates when it is time. */
  tick(): void {
    if (this.#now() >= this.#current.created + KEY_ROTATE_SEC) this.rotate();
  }

  /** The file was changed by another process. As the constructor; then the keys stay as they were. */
  reload(): void {
    const keys = readKeys(this.#options.path);
    if (keys === undefined) this.rotate();
    else this.#take(keys);
  }

  capability(client: ClientId, open: Omit<Capability, 'key' | 'mac' | 'expires'>): Capability {
    const { fid, handle, rights, uid } = open;
    const key = this.#current;
    const expires = this.#now() + CAPABILITY_LIFE_SEC;
    const signed = { fid, handle, rights, uid, expires, key: key.id };
    return { ...signed, mac: hmac(key.object, capabilityBytes(client, signed)) };
  }

  refusesCapability(client: ClientId, capability: Capability): string | undefined {
    const key = this.#counting(capability.key);
    if (typeof key === 'string') return key;
    if (!isEqual(hmac(key.object, capabilityBytes(client, capability)), capability.mac)) {
      return FORGED;
    }
    return capability.expires <= this.#now() ? 'it has expired' : undefined;
  }

  receipt(
    client: ClientId,
    xid: Xid,
    payload: Payload,
    facts: Omit<Receipt, 'key' | 'mac'>,
  ): Receipt {
    const { transno, time, fid, handle } = facts;
    const key = this.#current;
    const signed = { transno, time, fid, handle, key: key.id };
    const mac = hmac(key.object, receiptHead(client, xid, signed), payload.bytes);
    return { ...signed, mac };
  }

  refusesReceipt(
    client: ClientId,
    xid: Xid,
    payload: Payload,
    receipt: Receipt,
  ): string | undefined {
    const key = this.#counting(receipt.key);
    if (typeof key === 'string') return key;
    const mac = hmac(key.object, receiptHead(client, xid, receipt), payload.bytes);
    return isEqual(mac, receipt.mac) ? undefined : FORGED;
  }

  /** The key, or why what it signed does not count. */
  #counting(id: KeyId): UsableKey | string {
    const key = this.#keys.get(id);
    if (key === undefined) return `key ${id} is not known, or not any more`;
    return this.#isOver(key) ? `key ${id} was replaced too long ago` : key;
  }

  #isOver({ replaced }: Key): boolean {
    return replaced !== null && replaced + KEY_GRACE_SEC <= this.#now();
  }

  #now(): number {
    return this.#options.clock.now().sec;
  }

  /** A new key behind those of `before` that still count, on disk. */
  #replace(before: readonly Key[]): UsableKey {
    const now = this.#now();
    const last = before.at(-1);
    const kept = before
      .map((key) => (key === last ? { ...key, replaced: now } : key))
      .filter((key) => !this.#isOver(key))
      .slice(1 - KEYS_MAX);
    const secret = Buffer.from(this.#options.random(SECRET_BYTES));
    const id = ((last?.id ?? 0) + 1) as KeyId;
    const keys = [...kept, { id, created: now, replaced: null, secret }];
    writeKeys(this.#options.path, keys);
    return this.#take(keys);
  }

  #take(keys: readonly Key[]): UsableKey {
    this.#keys.clear();
    for (const { id, created, replaced, secret } of keys) {
      this.#keys.set(id, { id, created, replaced, secret, object: createSecretKey(secret) });
    }
    this.#current = must([...this.#keys.values()].at(-1), 'a key that signs');
    return this.#current;
  }
}

const FORGED = 'it was not signed here, or not for this client, or was altered';

function hmac(key: KeyObject, head: Uint8Array, rest?: Uint8Array): Mac {
  const mac = createHmac('sha256', key).update(head);
  if (rest !== undefined) mac.update(rest);
  return mac.digest();
}

function isEqual(mac: Mac, other: Mac): boolean {
  return mac.length === other.length && timingSafeEqual(mac, other);
}
