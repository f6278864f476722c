/**
 * Network ids in the two forms that changelog records carry: the old one, a 64-bit number
 * with a 4-byte address in it, and `struct lnet_nid`, which holds IPv6 addresses as well.
 */
import * as net from 'node:net';
import { NID_BYTES } from './changelog-layout.js';

/** A network's type by its name in a NID, `10.0.0.1@tcp1`. */
const TYPES: Readonly<Record<string, number>> = { tcp: 2, o2ib: 5, lo: 9 };
const LOOPBACK = 9;

/** nid_size counts what an address has beyond four bytes. */
const SIZE_EXCESS = 4;
const IPV6_BYTES = 16;

export interface Nid {
  readonly type: number;
  /** Which of the networks of that type. */
  readonly net: number;
  /** 4 or 16 bytes, most significant first. */
  readonly address: Uint8Array;
}

const NID_TEXT = /^([^@]+)@([a-z]+|o2ib)([0-9]{0,5})$/;

/** Undefined if the text is no NID of a network known here. */
export function parseNid(text: string): Nid | undefined {
  const [, host = '', kind = '', number = ''] = NID_TEXT.exec(text) ?? [];
  const type = TYPES[kind];
  const network = Number(number);
  if (type === undefined || network > 0xffff) return undefined;
  const address = type === LOOPBACK ? numberAddress(host) : ipAddress(host);
  return address === undefined ? undefined : { type, net: network, address };
}

export function formatNid({ type, net: network, address }: Nid): string {
  const kind = Object.entries(TYPES).find(([, number]) => number === type)?.[0] ?? `<${type}>`;
  const suffix = network === 0 ? '' : `${network}`;
  const bytes = Buffer.from(address);
  if (type === LOOPBACK) return `${bytes.readUInt32BE(0)}@${kind}${suffix}`;
  return `${address.length === IPV6_BYTES ? ipv6Text(bytes) : bytes.join('.')}@${kind}${suffix}`;
}

/** Fills the NID extension. False, with nothing written, if only `struct lnet_nid` could hold it. */
export function writeNid(into: Buffer, at: number, nid: Nid, asStruct: boolean): boolean {
  const { type, net: network, address } = nid;
  if (!asStruct && address.length !== SIZE_EXCESS) return false;
  into.fill(0, at, at + NID_BYTES);
  if (asStruct) {
    into[at] = address.length - SIZE_EXCESS;
    into[at + 1] = type;
    into.writeUInt16BE(network, at + 2);
    into.set(address, at + 4);
  } else {
    into.writeUInt32LE(Buffer.from(address).readUInt32BE(0), at);
    into.writeUInt16LE(network, at + 4);
    into.writeUInt16LE(type, at + 6);
  }
  return true;
}

/** The inverse of {@link writeNid}. */
export function readNid(bytes: Buffer, at: number, asStruct: boolean): Nid {
  if (asStruct) {
    const length = Math.min(IPV6_BYTES, SIZE_EXCESS + (bytes[at] ?? 0));
    const address = bytes.subarray(at + 4, at + 4 + length);
    return { type: bytes[at + 1] ?? 0, net: bytes.readUInt16BE(at + 2), address };
  }
  const address = Buffer.alloc(4);
  address.writeUInt32BE(bytes.readUInt32LE(at));
  return { type: bytes.readUInt16LE(at + 6), net: bytes.readUInt16LE(at + 4), address };
}

function numberAddress(text: string): Uint8Array | undefined {
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value < 2 ** 32)) return undefined;
  const address = Buffer.alloc(4);
  address.writeUInt32BE(value);
  return address;
}

function ipAddress(text: string): Uint8Array | undefined {
  if (net.isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  if (!net.isIPv6(text) || /[.%]/.test(text)) return undefined;
  const [head = '', tail] = text.split('::');
  const first = groups(head);
  const last = groups(tail ?? '');
  const zeroes = Array.from({ length: 8 - first.length - last.length }, () => 0);
  return Uint8Array.from(
    [...first, ...zeroes, ...last].flatMap((group) => [group >> 8, group & 255]),
  );
}

function groups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

/** All eight groups, none left out: one address, one text. */
function ipv6Text(bytes: Buffer): string {
  return [0, 2, 4, 6, 8, 10, 12, 14].map((at) => bytes.readUInt16BE(at).toString(16)).join(':');
}
