/** Bounds of the session: sizes in bytes, times in microseconds unless the name says otherwise. */
import { assert } from '../base/assert.js';

/** Largest WRITE body and READ answer. The kernel caps both at 256 pages unless its sysctl says more. */
export const IO_BYTES_MAX = 1 << 20;
/** IO_BYTES_MAX in pages of 4 KiB, for INIT. */
export const IO_PAGES_MAX = 256;
/** The longest header, structure and names that may stand before a WRITE's data. */
export const REQUEST_OVERHEAD_BYTES = 8192;
/** The device refuses to be read with less (FUSE_MIN_READ_BUFFER, and header + write_in + max_write). */
export const REQUEST_BYTES_MAX = IO_BYTES_MAX + REQUEST_OVERHEAD_BYTES;
/** A reply's header and the largest answer. */
export const REPLY_BYTES_MAX = IO_BYTES_MAX + 4096;

/** PATH_MAX: the longest symbolic link is one less, for its NUL. */
export const SYMLINK_BYTES_MAX = 4095;
/** An ioctl's output, as the kernel bounds it: pages of the request. */
export const IOCTL_BYTES_MAX = IO_BYTES_MAX - 4096;

/** Requests handled before the event loop gets its turn. */
export const BATCH_REQUESTS_MAX = 256;
/** Time spent handling requests before the event loop gets its turn. */
export const SLICE_US_DEFAULT = 1000;
/** Busy-polling after the last request, on a machine with a second core. */
export const BUSY_POLL_US_DEFAULT = 50;
export const BUSY_POLL_US_MAX = 10_000;

/** Longest rest; completions and signals end it early, timers that nobody told us of wait. */
export const REST_US_MAX = 2_000_000;
/** A shorter rest is not worth its system call. */
export const REST_US_MIN = 20;

/** Wake-ups sent after one request, so that a thousand waiters do not stall the next request. */
export const WAKEUPS_PER_REQUEST_MAX = 8;
/** Wake-ups sent when the device has nothing to read, before it is asked again. */
export const WAKEUPS_PER_PAUSE_MAX = 32;
/** Invalidations that wait for the kernel. */
export const INVALIDATIONS_MAX = 65_536;
/** Invalidations that were sent, before their places in the queue are used again. */
export const SENT_KEPT_MAX = 16_384;

/** Requests that wait for their answer. Each one is a blocked thread of some client. */
export const PARKED_MAX = 65_536;

/** Requests that the kernel may have in flight on nobody's behalf (read-ahead, write-back, release). */
export const BACKGROUND_REQUESTS_DEFAULT = 64;
/** Read-ahead that we agree to; the kernel's own setting may be lower. */
export const READAHEAD_BYTES_DEFAULT = IO_BYTES_MAX;

/** Validity of names and attributes: longer is as good as for ever, and fits the kernel's jiffies. */
export const VALID_MS_MAX = 2 ** 31 * 1000;

/** Text of a mount helper's complaint that is worth keeping. */
export const HELPER_OUTPUT_BYTES_MAX = 4096;

assert(IO_PAGES_MAX * 4096 === IO_BYTES_MAX, 'pages and bytes of one transfer agree');
assert(WAKEUPS_PER_REQUEST_MAX <= WAKEUPS_PER_PAUSE_MAX, 'requests go before wake-ups');
