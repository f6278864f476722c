/** Bits of poll(2), poll.h. */
export const POLLIN = 0x001;
export const POLLOUT = 0x004;
export const POLLHUP = 0x010;
export const POLLRDNORM = 0x040;
export const POLLWRNORM = 0x100;
