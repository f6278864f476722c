/** What the kernel says of a socket: who is at the other end, and what kind of socket it is. */
import type { Socket } from 'node:net';
import koffi from 'koffi';
import { errnoName } from '../../base/errno.js';
import type { Peer } from '../channel.js';

const libc = koffi.load('libc.so.6');
const getsockopt = libc.func(
  'int getsockopt(int fd, int level, int name, void *value, _Inout_ uint32_t *length)',
) as (fd: number, level: number, name: number, value: Buffer, length: [number]) => number;
const getsockname = libc.func(
  'int getsockname(int fd, void *address, _Inout_ uint32_t *length)',
) as (fd: number, address: Buffer, length: [number]) => number;

// asm-generic/socket.h
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_ACCEPTCONN = 30;
const SO_DOMAIN = 39;
const AF_UNIX = 1;
/** `struct ucred`: pid, uid, gid. */
const UCRED_BYTES = 12;
/** `struct sockaddr_un`: the family in two bytes, the path. */
const SOCKADDR_UN_BYTES = 110;
const SUN_PATH = 2;

function option(fd: number, name: number, bytes: number): Buffer {
  const value = Buffer.alloc(bytes);
  const length: [number] = [bytes];
  if (getsockopt(fd, SOL_SOCKET, name, value, length) !== 0) {
    throw new Error(`getsockopt: ${errnoName(koffi.errno())}`);
  }
  if (length[0] !== bytes) throw new Error(`getsockopt gave ${length[0]} bytes, not ${bytes}`);
  return value;
}

/** Who made the other end, as the kernel noted it then. Error if it does not say. */
export function unixPeer(socket: Socket): Peer {
  const value = option(descriptor(socket), SO_PEERCRED, UCRED_BYTES);
  return {
    kind: 'unix',
    pid: value.readInt32LE(0),
    uid: value.readUInt32LE(4),
    gid: value.readUInt32LE(8),
  };
}

/** What a descriptor is that must be a listening socket: its path, or that it is not a unix socket. Error if it is none. */
export function listeningSocket(fd: number): { kind: 'unix'; path: string } | { kind: 'tcp' } {
  if (option(fd, SO_ACCEPTCONN, 4).readInt32LE(0) === 0) {
    throw new Error(`descriptor ${fd} is no socket that listens`);
  }
  if (option(fd, SO_DOMAIN, 4).readInt32LE(0) !== AF_UNIX) return { kind: 'tcp' };
  const address = Buffer.alloc(SOCKADDR_UN_BYTES);
  if (getsockname(fd, address, [SOCKADDR_UN_BYTES]) !== 0) {
    throw new Error(`getsockname: ${errnoName(koffi.errno())}`);
  }
  const end = address.indexOf(0, SUN_PATH);
  return { kind: 'unix', path: address.toString('utf8', SUN_PATH, end < 0 ? undefined : end) };
}

/** Node has it, but no name for it in its interface. */
export function descriptor(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle');
  const fd: unknown = typeof handle === 'object' && handle !== null && Reflect.get(handle, 'fd');
  if (typeof fd !== 'number' || fd < 0) throw new Error('the socket has no descriptor');
  return fd;
}
