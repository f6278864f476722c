/** Unix sockets of the kinds that Node does not make. */
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');
const c = {
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  bind: libc.func('int bind(int fd, const uint8_t *address, uint32_t length)'),
  connect: libc.func('int connect(int fd, const uint8_t *address, uint32_t length)'),
  listen: libc.func('int listen(int fd, int backlog)'),
};

const AF_UNIX = 1;
const SOCK_NONBLOCK = 0o4000;
const TYPES = { stream: 1, datagram: 2 } as const;

function checked(call: string, result: number): number {
  if (result < 0) throw new Error(`${call}: errno ${koffi.errno()}`);
  return result;
}

/** struct sockaddr_un. */
function addressOf(path: string): Buffer {
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, Buffer.from(`${path}\0`)]);
}

/** A socket of that address, which is not listening. Returns its descriptor. */
export function boundSocket(path: string, type: keyof typeof TYPES): number {
  const fd = checked('socket', c.socket(AF_UNIX, TYPES[type], 0));
  const address = addressOf(path);
  checked('bind', c.bind(fd, address, address.length));
  return fd;
}

/** Makes it listen, with as many connections waiting as it takes. Returns their descriptors. */
export function listenBusily(fd: number, path: string): number[] {
  checked('listen', c.listen(fd, 0));
  const address = addressOf(path);
  const waiting: number[] = [];
  for (;;) {
    const client = checked('socket', c.socket(AF_UNIX, TYPES.stream + SOCK_NONBLOCK, 0));
    waiting.push(client);
    if (c.connect(client, address, address.length) < 0) return waiting;
  }
}
